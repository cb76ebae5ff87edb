import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer } from '@runnel/service';
import { endWithParent } from '@runnel/testing/end-with-parent';
import { Redis } from 'ioredis';
import { findFreePort } from './free-port.ts';

export interface RedisServerOptions {
  readonly dir: string;
  /** Lines of redis.conf beyond an append-only file that is written each second. */
  readonly config?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Loading what a few minutes wrote takes less than a second; a machine that is busy takes longer. */
const readyWithinMs = 60_000;

/** A Redis that can be killed and started again with what it had written: same port, same password. */
export class RedisServer {
  readonly dir: string;
  readonly port: number;
  readonly password = randomBytes(18).toString('base64url');
  readonly #options: RedisServerOptions;
  readonly #executable = findRedisServer();
  #child: ChildProcess | null = null;

  private constructor(options: RedisServerOptions, port: number) {
    this.#options = options;
    this.dir = options.dir;
    this.port = port;
  }

  static async start(options: RedisServerOptions): Promise<RedisServer> {
    mkdirSync(options.dir, { recursive: true });
    const server = new RedisServer(options, await findFreePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  async start(): Promise<void> {
    const { PATH = '' } = process.env;
    const child = spawn(this.#executable, ['-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH, ...this.#options.env },
    });
    this.#child = child;
    const log = join(this.dir, '..', 'logs', 'redis.log');
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => appendFileSync(log, String(chunk)));
    }
    endWithParent(child);
    child.stdin.end(this.#configFile());
    await this.#waitUntilReady(child);
  }

  /** Ends it at once; what it had handed to the kernel stays in its files. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  isGone(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** A connection that waits while Redis is away. */
  connect(): Redis {
    const redis = new Redis(this.url, {
      maxRetriesPerRequest: null,
      retryStrategy: () => 100,
    });
    redis.on('error', () => undefined); // that Redis is away is what happens here
    return redis;
  }

  /** One command on a connection of its own. */
  async call(command: string, ...args: string[]): Promise<unknown> {
    const redis = new Redis(this.url, { maxRetriesPerRequest: 1, retryStrategy: () => null });
    redis.on('error', () => undefined); // the call itself throws
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  #configFile(): string {
    const config = {
      bind: '127.0.0.1',
      port: String(this.port),
      dir: this.dir,
      requirepass: this.password,
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
      ...this.#options.config,
    };
    return Object.entries(config)
      .map(([name, value]) => `${name} ${JSON.stringify(value)}\n`)
      .join('');
  }

  async #waitUntilReady(child: ChildProcess): Promise<void> {
    const giveUpAt = Date.now() + readyWithinMs;
    while (child.exitCode === null && child.signalCode === null && Date.now() < giveUpAt) {
      const answer = await this.call('PING').catch(() => null);
      if (answer === 'PONG') return;
      await sleep(20);
    }
    throw new Error(`Redis did not start; see ${join(this.dir, '..', 'logs', 'redis.log')}`);
  }
}
