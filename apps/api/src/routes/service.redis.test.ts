import { systemClock } from '@runnel/core';
import { executorCatalog, loadExecutors } from '@runnel/executors';
import { createLogger, createMetrics } from '@runnel/service';
import { connectRedisForRequests, LiveRuns, noFence, RunInfoCache } from '@runnel/store';
import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { startTestApi, type TestApi, testSettings } from '../api.test-kit.ts';
import { createApp } from '../app.ts';
import { ArchivedRuns } from '../archive/archived-runs.ts';
import { RunEstimates } from '../estimates.ts';
import { RunHistory } from '../history.ts';
import { RoomGuard } from '../room-guard.ts';
import { RunChannels } from '../run-channels.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

const layers = z.array(
  z.object({
    route: z
      .object({ path: z.string(), methods: z.record(z.string(), z.boolean()) })
      .optional()
      .catch(undefined),
  }),
);

/** What express itself says that it serves. */
function servedBy(app: Express): string[] {
  return layers
    .parse(app.router.stack)
    .flatMap(({ route }) =>
      Object.keys(route?.methods ?? {}).map(
        (method) => `${method} ${route?.path.replaceAll(/:(\w+)/g, '{$1}')}`,
      ),
    );
}

test('/openapi.json describes every route that express serves, and no other', async () => {
  const settings = testSettings(inject('redisUrl'));
  const redis = connectRedisForRequests(settings.redisUrl, () => undefined);
  const executors = await loadExecutors();
  const { namespace } = settings;
  const room = new RoomGuard(redis, systemClock);
  const infos = new RunInfoCache(redis, namespace);
  const live = new LiveRuns(redis, namespace);
  const onError = (): undefined => undefined;
  const shared = { redis, namespace, infos, live, archive: null, clock: systemClock };
  const history = new RunHistory({ ...shared, onError });
  const app = createApp(
    {
      ...{ settings, redis, executors, catalog: executorCatalog(executors) },
      fence: noFence,
      ...{ infos, archive: null, room, live },
      runs: new ArchivedRuns({ archive: null, redis, namespace, room, clock: systemClock }),
      ...{ history, estimates: new RunEstimates({ redis, settings, clock: systemClock, history }) },
      channels: new RunChannels({ subscriber: redis, namespace, onError }),
      logger: createLogger({ name: 'api', level: 'silent' }),
      metrics: createMetrics('api'),
      clock: systemClock,
      bodySilenceMs: 30_000,
      stopping: new AbortController().signal,
    },
    {
      handlers: [(_request, _response, next) => next()],
      [Symbol.asyncDispose]: async () => undefined,
    },
  );
  redis.disconnect();

  const response = await fetch(api.at('/openapi.json'));

  const document = z
    .object({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(await response.json());
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  expect(document.openapi).toBe('3.1.0');
  expect(described.sort()).toEqual(servedBy(app).sort());
  expect(described).toContain('get /api/v1/runs/{id}/tasks/{task}/log');
});

test('every reference in the OpenAPI document leads somewhere', async () => {
  const text = await (await fetch(api.at('/openapi.json'))).text();

  const document = z
    .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(JSON.parse(text));
  const names = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
  expect(names).toContain('Run');
  expect(names.filter((name) => document.components.schemas[name ?? ''] === undefined)).toEqual([]);
});

test('/schema/run-spec.json is the JSON Schema of a spec', async () => {
  const response = await fetch(api.at('/schema/run-spec.json'));

  expect(response.headers.get('Content-Type')).toContain('application/schema+json');
  expect(await response.json()).toMatchObject({ title: 'Run spec', type: 'object' });
});

test('/metrics counts requests by route, not by path', async () => {
  await fetch(api.at('/api/v1/runs/some-run'));
  await fetch(api.at('/nowhere/at/all'));

  const text = await (await fetch(api.at('/metrics'))).text();

  expect(text).toMatch(/http_requests_total{.*route="\/api\/v1\/runs\/:id",status="404".*} \d/);
  expect(text).toMatch(/http_requests_total{.*route="none",status="404".*} \d/);
  expect(text).not.toContain('some-run');
});

describe('/livez and /readyz', () => {
  test('say ok', async () => {
    for (const path of ['/livez', '/readyz']) {
      const response = await fetch(api.at(path));
      expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    }
    expect(await api.client.isReady()).toBe(true);
  });

  test('/readyz fails for a store of another layout', async () => {
    const own = await startTestApi(inject('redisUrl'));
    await own.redis.hset(`${own.namespace}:{store}:store`, 'version', '99');

    const response = await fetch(own.at('/readyz'));

    expect([response.status, await response.text()]).toEqual([503, 'the store can not be used\n']);
    await own[Symbol.asyncDispose]();
  });
});

test('answers an unknown path with a problem document and safe headers', async () => {
  const response = await fetch(api.at('/nowhere'));

  expect(response.status).toBe(404);
  expect(response.headers.get('Content-Type')).toContain('application/problem+json');
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'self'");
  expect(response.headers.get('X-Powered-By')).toBeNull();
  expect(await response.json()).toMatchObject({ instance: '/nowhere', code: 'NOT_FOUND' });
});
