import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@runnel/client';
import type { Clock } from '@runnel/core';
import { createLogger, createMetrics, loadSettings, type Settings } from '@runnel/service';
import { Redis } from 'ioredis';
import { type RunningApi, startApi } from './api.ts';

export interface TestApi extends AsyncDisposable {
  readonly api: RunningApi;
  readonly client: Client;
  readonly settings: Settings;
  readonly namespace: string;
  /** A connection of the test's own. */
  readonly redis: Redis;
  /** A path of the API as a URL. */
  at(path: string): string;
  /** All keys of this API's namespace, but those of workers and Bull Board. */
  keys(): Promise<readonly string[]>;
}

export function testSettings(
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
): Settings {
  const namespace = `t${randomBytes(6).toString('hex')}`;
  const fixed = {
    ...{ RUNNEL_REDIS_URL: redisUrl, RUNNEL_NAMESPACE: namespace, RUNNEL_PORT: '0' },
    RUNNEL_DATA: join(tmpdir(), `runnel-${namespace}`),
  };
  return loadSettings({ env: { ...fixed, ...env }, cwd: tmpdir() }).settings;
}

/** An API of its own on a free port, in a namespace of its own. */
export async function startTestApi(
  redisUrl: string,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
    readonly bodySilenceMs?: number;
  } = {},
): Promise<TestApi> {
  const settings = testSettings(redisUrl, options.env);
  const { namespace, token } = settings;
  const api = await startApi(settings, {
    logger: createLogger({ name: 'api', level: 'silent' }),
    metrics: createMetrics('api'),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.bodySilenceMs === undefined ? {} : { bodySilenceMs: options.bodySilenceMs }),
  });
  const redis = new Redis(redisUrl);
  // Some tests cut the connection.
  redis.on('error', () => undefined);
  return {
    api,
    client: createClient({ url: api.url, ...(token === null ? {} : { token }) }),
    settings,
    namespace,
    redis,
    at: (path) => `${api.url}${path}`,
    keys: async () => (await redis.keys(`${namespace}:{[rs]*`)).sort(),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await api[Symbol.asyncDispose]();
      // One that was given is another one's, who may go on with it.
      if (options.env?.['RUNNEL_DATA'] === undefined) {
        rmSync(settings.dataDir, { recursive: true, force: true });
      }
    },
  };
}

/** Two tasks, one after the other. */
export const pair = {
  name: 'pair',
  tags: { team: 'data' },
  tasks: [
    { class: 'first', executor: 'noop' },
    { class: 'second', executor: 'noop', parents: ['first'] },
  ],
};

export function post(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', ...headers },
  };
}
