import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { SetupError } from '@runnel/core';
import { createLogger, createMetrics, startEmbeddedRedis } from '@runnel/service';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, testSettings } from './api.test-kit.ts';
import { startApi } from './api.ts';

const closers: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A way to Redis that can be cut. */
class Wire {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(redisUrl: string) {
    this.#target = new URL(redisUrl);
  }

  get url(): string {
    const url = new URL(this.#target);
    url.port = String(this.#port);
    return url.href;
  }

  async mend(): Promise<void> {
    const server = createServer((socket) => this.#join(socket));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    this.#server = server;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #join(socket: Socket): void {
    const onward = connect(Number(this.#target.port), this.#target.hostname);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#sockets.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  }
}

describe('without Redis', () => {
  test('answers 503 within five seconds, stays alive, and recovers by itself', async () => {
    const wire = new Wire(inject('redisUrl'));
    await wire.mend();
    closers.push(() => wire.cut());
    const api = await startTestApi(wire.url);
    closers.push(() => api[Symbol.asyncDispose]());
    const { id } = await api.client.submitRun({ value: pair });

    await wire.cut();
    const startedAt = performance.now();
    const answers = await Promise.all([
      fetch(api.at(`/api/v1/runs/${id}`)),
      fetch(api.at('/api/v1/runs')),
      fetch(api.at('/api/v1/workers')),
      fetch(api.at('/board/api/queues')),
      fetch(api.at('/readyz')),
    ]);
    const tookMs = performance.now() - startedAt;
    const submitting = api.client.submitRun({ value: pair });

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    expect(answers[0]?.headers.get('Retry-After')).toBe('2');
    expect(await answers[0]?.json()).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(tookMs).toBeLessThan(5_000);
    await expect(submitting).rejects.toMatchObject({ status: 503, retryAfterMs: 2_000 });
    expect((await fetch(api.at('/livez'))).status).toBe(200);

    await wire.mend();

    await expect.poll(() => api.client.isReady(), { timeout: 10_000 }).toBe(true);
    expect((await api.client.getRun(id)).id).toBe(id);
  }, 30_000);
});

describe('a Redis that loses or has no room', () => {
  test('that may evict keys is refused at the start', async () => {
    const redis = await startEmbeddedRedis({
      memory: true,
      config: { maxmemory: '50mb', 'maxmemory-policy': 'allkeys-lru' },
    });
    closers.push(() => redis[Symbol.asyncDispose]());
    const logger = createLogger({ name: 'api', level: 'silent' });

    const starting = startApi(testSettings(redis.url), { logger, metrics: createMetrics('api') });

    await expect(starting).rejects.toThrow(SetupError);
    await expect(starting).rejects.toThrow('noeviction');
  });

  test('takes no new runs from 80 % on', async () => {
    const redis = await startEmbeddedRedis({ memory: true });
    closers.push(() => redis[Symbol.asyncDispose]());
    const api = await startTestApi(redis.url);
    closers.push(() => api[Symbol.asyncDispose]());
    const used = Number(/used_memory:(\d+)/.exec(await api.redis.info('memory'))?.[1]);
    await api.redis.config('SET', 'maxmemory', String(Math.round(used / 0.9)));

    const nearlyFull = api.client.submitRun({ value: pair });
    await expect(nearlyFull).rejects.toMatchObject({ status: 503, code: 'REDIS_FULL' });
    await api.redis.config('SET', 'maxmemory', String(Math.round(used / 2)));
    expect(await (await fetch(api.at('/readyz'))).text()).toBe('ok, but Redis is full\n');
    expect((await api.client.listRuns()).runs).toEqual([]);

    await api.redis.config('SET', 'maxmemory', '0');
    expect((await api.client.submitRun({ value: pair })).isNew).toBe(true);
  });
});
