import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type AppName = 'api' | 'listener' | 'worker';

export interface SupervisedOptions {
  readonly app: AppName;
  /** How it is called in messages: `worker 2`. */
  readonly label: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Longer than it has to close in order: then it is killed. */
  readonly stopWithinMs: number;
  readonly onLine: (label: string, line: string) => void;
  /** Ended without being asked to; it starts again after the delay. */
  readonly onCrash: (label: string, how: string, delayMs: number) => void;
}

const firstDelayMs = 250;
const maxDelayMs = 10_000;
/** One that lived so long starts anew: its next end is not the same trouble. */
const healthyAfterMs = 30_000;
const childModule = fileURLToPath(new URL('./child.ts', import.meta.url));

/** A process of the stack that is started again when it dies. Ends with this process, however that ends. */
export class Supervised {
  readonly label: string;
  readonly #options: SupervisedOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #stopping = new AbortController();
  #crashes = 0;
  #lastCrash: string | null = null;

  constructor(options: SupervisedOptions) {
    this.label = options.label;
    this.#options = options;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How it ended when nobody had asked it to; null where it never did. */
  get lastCrash(): string | null {
    return this.#lastCrash;
  }

  /** Ends in order; killed where that takes too long. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const timer = setTimeout(() => this.kill(), this.#options.stopWithinMs);
    this.#child?.kill('SIGTERM');
    await this.#exited;
    clearTimeout(timer);
  }

  /** A second SIGTERM makes an app exit at once, with the processes of its tasks. */
  hurry(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
  }

  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  #start(): void {
    const { app, cwd, env } = this.#options;
    const startedAt = performance.now();
    // A group of its own: a Ctrl-C in the terminal reaches us alone, and we close in order.
    const child = spawn(process.execPath, [childModule, app], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#exited = once(child, 'exit').catch((error: unknown) => this.#note(String(error)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => this.#note(line));
    }
    child.once('exit', (code, signal) => this.#onExit(startedAt, signal ?? `exit code ${code}`));
  }

  #note(line: string): void {
    if (line !== '') this.#options.onLine(this.label, line);
  }

  #onExit(startedAt: number, how: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#lastCrash = how;
    this.#crashes = performance.now() - startedAt > healthyAfterMs ? 1 : this.#crashes + 1;
    const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (this.#crashes - 1));
    this.#options.onCrash(this.label, how, delayMs);
    sleep(delayMs, undefined, { signal: this.#stopping.signal, ref: false }).then(
      () => this.#start(),
      // It was stopped meanwhile.
      () => undefined,
    );
  }
}
