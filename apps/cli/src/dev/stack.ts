import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@runnel/client';
import type { Durability } from '@runnel/core';
import { type EmbeddedRedis, startEmbeddedRedis } from '@runnel/service';
import { StackError } from '../exit-codes.ts';
import { isAlive } from './is-alive.ts';
import { probeRedis } from './probe-redis.ts';
import { type AppName, Supervised, type SupervisedOptions } from './supervised.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface StackOptions {
  readonly cwd: string;
  /** For all processes; RUNNEL_REDIS_URL is added. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly url: string;
  readonly token: string | null;
  readonly redis: RedisChoice;
  readonly durability: Durability;
  readonly workers: number;
  /** What a worker has for its running tasks when it is stopped. */
  readonly graceMs: number;
  readonly onLine: (label: string, line: string) => void;
  /** What happens to the stack itself. */
  readonly say: (text: string) => void;
  /** Gives up starting. */
  readonly signal: AbortSignal;
}

export type RedisChoice =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'embedded'; readonly memory: boolean; readonly dir: string };

/** Nobody waits longer for a start; loading a large Redis is not counted. */
const readyWithinMs = 30_000;
const readyEveryMs = 25;
/** Beyond the grace: an app has 15 s of its own to close what it has open. */
const closeWithinMs = 20_000;
/** An app that exits at once needs hardly any time to end the processes of its tasks. */
const hurryMs = 500;
const redisCheckMs = 500;

/**
 * API, listener, workers and, unless one is given, a Redis, as children of this process. Started in
 * order of need, closed the other way round.
 */
export class Stack implements AsyncDisposable {
  readonly client: Client;
  readonly #options: StackOptions;
  #redis: EmbeddedRedis | null = null;
  #children: readonly Supervised[] = [];
  #watch: NodeJS.Timeout | null = null;
  #restarting: Promise<void> = Promise.resolve();
  #isReady = false;
  #closed = false;

  private constructor(options: StackOptions) {
    this.#options = options;
    const { url, token } = options;
    this.client = createClient({ url, ...(token === null ? {} : { token }) });
  }

  /** Starts everything and waits until it takes runs. @throws StackError, SetupError. */
  static async start(options: StackOptions): Promise<Stack> {
    const stack = new Stack(options);
    try {
      await stack.#startAll();
      await stack.#waitUntilReady();
      stack.#isReady = true;
    } catch (error: unknown) {
      await stack[Symbol.asyncDispose]();
      throw error;
    }
    return stack;
  }

  /** Where the embedded Redis listens; null where another is used. */
  get redisPort(): number | null {
    return this.#redis?.port ?? null;
  }

  /** Workers, listener, API, Redis. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#watch !== null) clearInterval(this.#watch);
    await this.#restarting;
    await this.#stopAll();
  }

  /** Ends everything now: tasks that run are started again when the stack is. */
  async kill(): Promise<void> {
    this.#closed = true;
    for (const child of this.#children) child.hurry();
    await sleep(hurryMs);
    for (const child of this.#children) child.kill();
  }

  async #startAll(): Promise<void> {
    const redisUrl = await this.#startRedis();
    const env = { ...this.#options.env, RUNNEL_REDIS_URL: redisUrl };
    const child = (app: AppName, label: string = app): Supervised =>
      new Supervised({ ...this.#childOptions(withoutSecrets(app, env)), app, label });
    const { workers } = this.#options;
    this.#children = [
      child('api'),
      child('listener'),
      ...Array.from({ length: workers }, (_, index) =>
        child('worker', workers === 1 ? 'worker' : `worker ${index + 1}`),
      ),
    ];
  }

  #childOptions(env: StackOptions['env']): Omit<SupervisedOptions, 'app' | 'label'> {
    const { cwd, graceMs, onLine, say } = this.#options;
    return {
      cwd,
      env,
      stopWithinMs: graceMs + closeWithinMs,
      onLine,
      onCrash: (label, how, delayMs) => {
        // Who waits for the start tells what failed there.
        if (this.#isReady) say(`${label} ended (${how}); it starts again in ${delayMs / 1000} s`);
      },
    };
  }

  async #startRedis(): Promise<string> {
    const { redis } = this.#options;
    if (redis.kind === 'url') {
      await probeRedis(redis.url);
      return redis.url;
    }
    const { durability } = this.#options;
    this.#redis = await startEmbeddedRedis({ memory: redis.memory, dir: redis.dir, durability });
    const { pid } = this.#redis;
    this.#watch = setInterval(() => {
      if (isAlive(pid)) return;
      this.#restarting = this.#restartAll();
    }, redisCheckMs).unref();
    return this.#redis.url;
  }

  /** The new Redis has another password and port, so all processes start again. */
  async #restartAll(): Promise<void> {
    if (this.#watch !== null) clearInterval(this.#watch);
    if (this.#closed) return;
    this.#options.say('Redis ended unexpectedly; everything starts again');
    for (const child of this.#children) child.kill();
    try {
      await this.#stopAll();
      if (!this.#closed) await this.#startAll();
    } catch (error: unknown) {
      // Nothing is left to look after: the user has to.
      this.#options.say(`Redis does not start again: ${String(error)}`);
    }
  }

  async #stopAll(): Promise<void> {
    const [api, listener, ...workers] = this.#children;
    await Promise.all(workers.map((worker) => worker.stop()));
    await listener?.stop();
    await api?.stop();
    await this.#redis?.[Symbol.asyncDispose]();
  }

  async #waitUntilReady(): Promise<void> {
    const { signal, workers } = this.#options;
    const giveUpAt = performance.now() + readyWithinMs;
    for (;;) {
      signal.throwIfAborted();
      this.#refuseBrokenStart(performance.now() > giveUpAt);
      if ((await this.#countWorkers()) >= workers) return;
      await sleep(readyEveryMs);
    }
  }

  /** Workers of an earlier life, or of others on the same Redis, don't count. */
  async #countWorkers(): Promise<number> {
    if (!(await this.client.isReady())) return -1;
    const own = this.#children.map((child) => child.pid);
    return (await this.client.listWorkers()).filter(({ pid }) => own.includes(pid)).length;
  }

  #refuseBrokenStart(isTooLate: boolean): void {
    const broken = this.#children.find((child) => child.lastCrash !== null);
    if (broken !== undefined) {
      throw new StackError(`the ${broken.label} did not start (${broken.lastCrash}): see above`);
    }
    if (isTooLate) throw new StackError(`not ready within ${readyWithinMs / 1000} s`);
  }
}
