import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '@runnel/testing/end-with-parent';
import { findFreePort } from './free-port.ts';
import { RedisProxy } from './redis-proxy.ts';
import { RedisServer } from './redis-server.ts';

export const apps = ['api', 'listener', 'worker'] as const;
export type App = (typeof apps)[number];

const root = fileURLToPath(new URL('..', import.meta.url));
export const functionsModule = fileURLToPath(new URL('./functions.ts', import.meta.url));

/** How long a supervisor waits before it starts again what has ended. */
const restartAfterMs = 300;

/** Tasks meet many deaths here that are not their fault; only one nemesis is about poison. */
const manyDeaths = '100';

export interface ClusterOptions {
  readonly dir: string;
  readonly listeners?: number;
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly redis?: Readonly<Record<string, string>>;
  readonly redisEnv?: Readonly<Record<string, string>>;
  /** Where Redis keeps its files; default: a folder of `dir`. */
  readonly redisDir?: string;
  /** Each process reaches Redis through a proxy of its own. */
  readonly isProxied?: boolean;
}

export type Environment = Readonly<Record<string, string>>;

interface MemberParts {
  readonly name: string;
  readonly app: App;
  readonly proxy: RedisProxy | null;
  /** More variables for the first start. */
  readonly env: Environment;
  start(env: Environment): ChildProcess;
}

/** A process of the cluster; one that has ended is started again under the same name. */
export class Member {
  readonly app: App;
  readonly name: string;
  readonly proxy: RedisProxy | null;
  readonly #start: (env: Environment) => ChildProcess;
  #child: ChildProcess;
  #isStopping = false;
  /** What ended the last process; null: it ended by itself. */
  lastSignal: NodeJS.Signals | null = null;
  #nextEnv: Environment;

  constructor(parts: MemberParts) {
    this.name = parts.name;
    this.app = parts.app;
    this.proxy = parts.proxy;
    this.#start = parts.start;
    this.#nextEnv = parts.env;
    this.#child = this.#supervised();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** More variables for its next start, and only for that one. */
  armNextStart(env: Environment): void {
    this.#nextEnv = env;
  }

  /** Ends it for good. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#isStopping = true;
    if (this.isGone()) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(timer);
  }

  /** Resolves when the process that runs now has ended; false after `withinMs`. */
  async endsWithin(withinMs: number): Promise<boolean> {
    const child = this.#child;
    const giveUpAt = Date.now() + withinMs;
    while (child.exitCode === null && child.signalCode === null) {
      if (Date.now() > giveUpAt) return false;
      await sleep(50);
    }
    return true;
  }

  #supervised(): ChildProcess {
    const child = this.#start(this.#nextEnv);
    this.#nextEnv = {};
    endWithParent(child);
    child.once('exit', (_, signal) => {
      this.lastSignal = signal;
      setTimeout(() => {
        if (!this.#isStopping) this.#child = this.#supervised();
      }, restartAfterMs);
    });
    return child;
  }
}

/** Api, listeners, workers and their Redis, as real processes under a supervisor. */
export class Cluster {
  readonly dir: string;
  readonly redis: RedisServer;
  readonly members: Member[] = [];
  readonly apiUrl: string;
  readonly #options: ClusterOptions;

  private constructor(options: ClusterOptions, redis: RedisServer, apiPort: number) {
    this.#options = options;
    this.dir = options.dir;
    this.redis = redis;
    this.apiUrl = `http://127.0.0.1:${apiPort}`;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    mkdirSync(join(options.dir, 'logs'), { recursive: true });
    const redis = await RedisServer.start({
      dir: options.redisDir ?? join(options.dir, 'redis'),
      config: options.redis ?? {},
      env: options.redisEnv ?? {},
    });
    const cluster = new Cluster(options, redis, await findFreePort());
    const names: App[] = [
      'api',
      ...Array.from({ length: options.listeners ?? 2 }, () => 'listener' as const),
      ...Array.from({ length: options.workers ?? 3 }, () => 'worker' as const),
    ];
    for (const app of names) await cluster.add(app);
    await cluster.#waitUntilReady();
    return cluster;
  }

  get dataDir(): string {
    return join(this.dir, 'data');
  }

  of(app: App): readonly Member[] {
    return this.members.filter((member) => member.app === app);
  }

  /** One more process, under the supervisor; the variables are those of its first start. */
  async add(app: App, env: Environment = {}): Promise<Member> {
    const number = this.members.filter((member) => member.app === app).length + 1;
    const proxy = this.#options.isProxied === true ? await RedisProxy.start(this.redis.port) : null;
    const name = `${app}${number}`;
    const start = (more: Environment): ChildProcess => this.#spawn({ name, app, proxy }, more);
    const member = new Member({ name, app, proxy, env, start });
    this.members.push(member);
    return member;
  }

  async remove(member: Member): Promise<void> {
    await member.stop('SIGTERM');
    await member.proxy?.[Symbol.asyncDispose]();
  }

  /** In order, so that what does not end by itself shows. */
  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop('SIGTERM')));
    await Promise.all(this.members.map(({ proxy }) => proxy?.[Symbol.asyncDispose]()));
    await this.redis.kill();
  }

  #spawn(
    { name, app, proxy }: Pick<MemberParts, 'name' | 'app' | 'proxy'>,
    env: Environment,
  ): ChildProcess {
    const { PATH = '', HOME = '' } = process.env;
    const port = proxy?.port ?? this.redis.port;
    const log = openSync(join(this.dir, 'logs', `${name}.log`), 'a');
    const child = spawn(process.execPath, [join(root, 'apps', app, 'src', 'main.ts')], {
      cwd: this.dir,
      stdio: ['ignore', log, log],
      env: {
        PATH,
        HOME,
        REDIS_URL: `redis://:${this.redis.password}@127.0.0.1:${port}`,
        RUNNEL_DATA: this.dataDir,
        RUNNEL_PORT: new URL(this.apiUrl).port,
        RUNNEL_FUNCTIONS: functionsModule,
        RUNNEL_CONCURRENCY: '3',
        RUNNEL_MAX_DEATHS: manyDeaths,
        RUNNEL_GRACE: '5s',
        RUNNEL_KILL_GRACE: '1s',
        ...this.#options.env,
        ...env,
      },
    });
    closeSync(log);
    return child;
  }

  async #waitUntilReady(): Promise<void> {
    const giveUpAt = Date.now() + 60_000;
    while (Date.now() < giveUpAt) {
      const answer = await fetch(`${this.apiUrl}/api/v1/workers`).catch(() => null);
      const body: unknown = answer?.ok === true ? await answer.json() : null;
      if (JSON.stringify(body)?.split('"pid"').length === this.of('worker').length + 1) return;
      await sleep(100);
    }
    throw new Error(`the processes did not start; see ${join(this.dir, 'logs')}`);
  }
}
