import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRedis, startEmbeddedRedis } from '@runnel/service';
import { endWithParent } from './end-with-parent.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the log of each app says when it is ready. */
const readyLine = {
  api: 'listening',
  listener: 'settling outcomes',
  worker: 'taking tasks',
} as const;
export type App = keyof typeof readyLine;

/** One process of a stack. */
export interface AppProcess {
  readonly app: App;
  readonly pid: number;
  /** Its log so far, a line of JSON each. */
  readonly log: readonly string[];
  isGone(): boolean;
  /** Resolves when the process has ended, however it did. */
  readonly gone: Promise<unknown>;
  /** Resolves when the process is gone; its exit code, null after a signal. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export interface StackOptions {
  readonly api?: boolean;
  readonly listeners?: number;
  readonly workers?: number;
  /** Settings of all apps, such as `{ RUNNEL_CONCURRENCY: '2' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** One that runs already; default: one of its own. */
  readonly redisUrl?: string;
  /** Lines of redis.conf; `appendonly yes` by default. */
  readonly redis?: Readonly<Record<string, string>>;
}

/** Real processes on a Redis of their own, for tests; all are gone when it is disposed. */
export class Stack implements AsyncDisposable {
  readonly redisUrl: string;
  readonly dir: string;
  readonly processes: AppProcess[] = [];
  apiUrl = '';
  readonly #redis: EmbeddedRedis | null;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(redis: EmbeddedRedis | null, dir: string, options: StackOptions) {
    this.#redis = redis;
    this.redisUrl = redis?.url ?? options.redisUrl ?? '';
    this.dir = dir;
    this.#env = options.env ?? {};
  }

  /** The stack's own. */
  get redis(): EmbeddedRedis {
    if (this.#redis === null) throw new Error('this stack uses the Redis that it was given');
    return this.#redis;
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    const dir = mkdtempSync(join(tmpdir(), 'runnel-e2e-'));
    const config = options.redis === undefined ? {} : { config: options.redis };
    const redis =
      options.redisUrl === undefined
        ? await startEmbeddedRedis({ dir: join(dir, 'redis'), ...config })
        : null;
    const stack = new Stack(redis, dir, options);
    const apps: App[] = [
      ...(options.api === true ? (['api'] as const) : []),
      ...Array.from({ length: options.listeners ?? 1 }, () => 'listener' as const),
      ...Array.from({ length: options.workers ?? 1 }, () => 'worker' as const),
    ];
    await Promise.all(apps.map((app) => stack.add(app)));
    return stack;
  }

  of(app: App): readonly AppProcess[] {
    return this.processes.filter((one) => one.app === app);
  }

  /** Starts one more process; resolves when it is ready. */
  async add(app: App, env: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const child = spawn(process.execPath, [join(root, 'apps', app, 'src', 'main.ts')], {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...pathOnly(),
        REDIS_URL: this.redisUrl,
        RUNNEL_DATA: join(this.dir, 'data'),
        RUNNEL_PORT: '0',
        ...this.#env,
        ...env,
      },
    });
    endWithParent(child);
    const started = await waitUntilReady(child, app);
    const url = /"url":"([^"]+)"/.exec(started.line)?.[1];
    if (app === 'api' && url !== undefined) this.apiUrl = url;
    const one: AppProcess = {
      app,
      pid: child.pid ?? -1,
      log: started.log,
      isGone: () => child.exitCode !== null || child.signalCode !== null,
      gone: once(child, 'exit'),
      kill: (signal) => end(child, signal),
    };
    this.processes.push(one);
    return one;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill('SIGKILL')));
    await this.#redis?.[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function pathOnly(): Record<string, string> {
  const { PATH, HOME } = process.env;
  return { PATH: PATH ?? '', HOME: HOME ?? '' };
}

function waitUntilReady(
  child: ChildProcess,
  app: App,
): Promise<{ readonly log: string[]; readonly line: string }> {
  const log: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<{ log: string[]; line: string }>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line);
      if (line.includes(readyLine[app])) resolve({ log, line });
    });
  }
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`${app} exited with ${code}:\n${log.join('\n')}`)));
  return promise;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  return child.exitCode;
}
