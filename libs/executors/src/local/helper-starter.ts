import { HelperProcess, NothingStartedError } from './helper-process.ts';
import { encodeRequest } from './helper-request.ts';
import type {
  NotStarted,
  ProcessRequest,
  ProcessStarter,
  StartedProcess,
} from './process-starter.ts';

export interface HelperStarterOptions {
  /** Finds and runs Python 3.8 or later. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly temporaryDir: string;
  /** Of helpers without work, about 9 MB each. There are as many with work as commands run. */
  readonly maxIdle: number;
  /** Starts the commands where no helper can be started. */
  readonly fallback: ProcessStarter;
  /** Told once why the fallback is used. */
  readonly warn: (message: string) => void;
}

/** How many are asked in turn where one after the other dies before it has started the command. */
const maxHelpers = 3;

/** Starts commands through small helper processes, and through `fallback` where there can be none. */
export class HelperStarter implements ProcessStarter {
  readonly #options: HelperStarterOptions;
  readonly #helpers = new Set<HelperProcess>();
  /** The last to come back goes first: what is not needed stays unused, and the memory of it is left in peace. */
  readonly #idle: HelperProcess[] = [];
  #hasWorked = false;
  #isBroken = false;
  #hasWarned = false;
  #isClosed = false;

  constructor(options: HelperStarterOptions) {
    this.#options = options;
  }

  async start(request: ProcessRequest): Promise<StartedProcess | NotStarted> {
    const encoded = encodeRequest(request);
    if (encoded === null) {
      return { kind: 'not-started', code: 'EINVAL', message: 'a text has a NUL character' };
    }
    return this.#run(request, encoded, maxHelpers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#helpers].map((helper) => helper.stop()));
    await this.#options.fallback[Symbol.asyncDispose]();
  }

  async #run(
    request: ProcessRequest,
    encoded: string,
    tries: number,
  ): Promise<StartedProcess | NotStarted> {
    const helper = this.#takeIdle() ?? (await this.#startHelper());
    if (this.#isClosed) throw new Error('the executor was closed');
    if (helper === null) return this.#options.fallback.start(request);
    try {
      return await helper.run(request, encoded);
    } catch (error: unknown) {
      if (tries === 1 || !(error instanceof NothingStartedError)) throw error;
      return this.#run(request, encoded, tries - 1);
    }
  }

  #takeIdle(): HelperProcess | undefined {
    let helper = this.#idle.pop();
    while (helper?.isAlive === false) helper = this.#idle.pop();
    return helper;
  }

  /**
   * Null where none can be started. A first one that fails decides: Python is missing or does not work. After one that
   * worked a failure is taken for a passing shortage, and the next command tries again.
   */
  async #startHelper(): Promise<HelperProcess | null> {
    if (this.#isBroken || this.#isClosed) return null;
    try {
      const helper = this.#createHelper();
      await helper.ready;
      this.#hasWorked = true;
      return helper;
    } catch (error: unknown) {
      this.#isBroken = !this.#hasWorked;
      this.#warn(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #createHelper(): HelperProcess {
    const { environment, maxIdle, python, temporaryDir } = this.#options;
    const helper = new HelperProcess({
      python,
      environment,
      temporaryDir,
      onIdle: () => {
        if (this.#idle.length < maxIdle) this.#idle.push(helper);
        else void helper.stop();
      },
      onGone: () => {
        this.#helpers.delete(helper);
        const at = this.#idle.indexOf(helper);
        if (at !== -1) this.#idle.splice(at, 1);
      },
    });
    this.#helpers.add(helper);
    return helper;
  }

  #warn(why: string): void {
    if (this.#hasWarned || this.#isClosed) return;
    this.#hasWarned = true;
    this.#options.warn(
      `local commands are started by the worker itself, which is slow: the helper in "${this.#options.python}" does not work: ${why}`,
    );
  }
}
