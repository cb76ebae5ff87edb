import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer } from '@runnel/service';
import { Redis } from 'ioredis';
import { endWithParent } from './end-with-parent.ts';

const readyWithinMs = 20_000;

export interface RedisNodeOptions {
  readonly dir: string;
  readonly name: string;
  /** Lines of redis.conf. */
  readonly lines: readonly string[];
  readonly isSentinel?: boolean;
}

/** One server of a set, on loopback, that can be killed, frozen and started again on its data. */
export class RedisNode implements AsyncDisposable {
  readonly port: number;
  readonly #file: string;
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;
  #client: Redis | null = null;

  private constructor(port: number, file: string, isSentinel: boolean) {
    this.port = port;
    this.#file = file;
    this.#args = isSentinel ? ['--sentinel'] : [];
  }

  static async start(options: RedisNodeOptions): Promise<RedisNode> {
    const port = await freePort();
    const dir = join(options.dir, options.name);
    mkdirSync(dir, { recursive: true });
    const file = join(dir, 'redis.conf');
    const always = ['bind 127.0.0.1', `port ${port}`, `dir ${dir}`, `logfile ${dir}/log`];
    writeFileSync(file, `${[...always, ...options.lines].join('\n')}\n`);
    const node = new RedisNode(port, file, options.isSentinel === true);
    await node.start();
    return node;
  }

  /** For questions of the test. */
  get client(): Redis {
    this.#client ??= new Redis({
      port: this.port,
      protocol: 2,
      commandTimeout: 2_000,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 100,
    }).on('error', () => undefined);
    return this.#client;
  }

  async start(): Promise<void> {
    const child = spawn(findRedisServer(), [this.#file, ...this.#args], { stdio: 'ignore' });
    this.#child = child;
    endWithParent(child);
    await waitUntil(`Redis on port ${this.port}`, async () => {
      if (child.exitCode !== null) throw new Error(`Redis exited with ${child.exitCode}`);
      return (await this.client.ping().catch(() => '')) === 'PONG';
    });
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
  }
}

/** Asks again and again until it is so. */
export async function waitUntil(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${readyWithinMs} ms`);
    await sleep(50);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
