import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { startHealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';

test('answers livez, readyz and metrics', async () => {
  const metrics = createMetrics('worker');
  metrics
    .counter({ name: 'tasks_total', help: 'Tasks.', labels: ['outcome'] })
    .inc({ outcome: 'succeeded' }, 3);
  metrics.gauge({ name: 'slots', help: 'Slots.', read: () => 7 });
  let why: string | null = 'Redis does not answer';
  const port = await findFreePort();
  const settings = { healthHost: '127.0.0.1', healthPort: port, token: null };
  await using server = await startHealthServer({ settings, metrics, whyNotReady: () => why });

  const notReady = await fetch(`${server?.url}/readyz`);
  why = null;
  const ready = await fetch(`${server?.url}/readyz`);
  const live = await fetch(`${server?.url}/livez`);
  const text = await (await fetch(`${server?.url}/metrics`)).text();

  expect([notReady.status, await notReady.text()]).toEqual([503, 'Redis does not answer\n']);
  expect([ready.status, live.status]).toEqual([200, 200]);
  expect(text).toContain('runnel_tasks_total{outcome="succeeded",process="worker"} 3');
  expect(text).toContain('runnel_slots{process="worker"} 7');
  expect(text).toContain('runnel_process_cpu_seconds_total');
  expect((await fetch(`${server?.url}/other`)).status).toBe(404);
});

test.each([
  ['127.0.0.1', 'secret', undefined, 401],
  ['127.0.0.1', 'secret', 'Bearer wrong', 401],
  ['127.0.0.1', 'secret', 'Bearer secret', 200],
  ['0.0.0.0', null, undefined, 403],
  ['0.0.0.0', 'secret', 'Bearer secret', 200],
])('metrics at %s, token %s, asked with %s: %i', async (healthHost, token, authorization, code) => {
  const metrics = createMetrics('worker');
  const settings = { healthHost, healthPort: await findFreePort(), token };
  await using _ = await startHealthServer({ settings, metrics, whyNotReady: () => null });
  const url = `http://127.0.0.1:${settings.healthPort}`;
  const headers = authorization === undefined ? {} : { Authorization: authorization };

  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(code);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test('is off at port 0', async () => {
  const metrics = createMetrics('worker');

  const settings = { healthHost: '127.0.0.1', healthPort: 0, token: null };

  expect(await startHealthServer({ settings, metrics, whyNotReady: () => null })).toBeNull();
});

async function findFreePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
