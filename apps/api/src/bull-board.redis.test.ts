import { DeliveryQueues } from '@runnel/queue';
import { signOn } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { startTestApi, type TestApi } from './api.test-kit.ts';

let api: TestApi;
let queues: DeliveryQueues;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), { env: { RUNNEL_KNOWN_POOLS: 'default,big' } });
  queues = new DeliveryQueues({
    connection: api.redis,
    namespace: api.namespace,
    onError: (error) => expect.unreachable(error.message),
  });
});
afterAll(async () => {
  await queues[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

const job = z.object({
  id: z.string(),
  name: z.string(),
  externalUrl: z.object({ href: z.string() }).optional(),
});
const answer = z.object({
  queues: z.array(z.object({ name: z.string(), readOnlyMode: z.boolean(), jobs: z.array(job) })),
});

async function readQueues(query = ''): Promise<z.infer<typeof answer>['queues']> {
  const response = await fetch(api.at(`/board/api/queues${query}`));
  return answer.parse(await response.json()).queues;
}

test('Bull Board renders, with everything it loads', async () => {
  const page = await fetch(api.at('/board'));
  const html = await page.text();
  const scripts = [...html.matchAll(/src="(static\/[^"]+)"/g)].map(([, path]) => path);

  expect(page.status).toBe(200);
  expect(html).toContain('<base href="/board/"');
  expect(scripts.length).toBeGreaterThan(0);
  for (const path of scripts) expect((await fetch(api.at(`/board/${path}`))).status).toBe(200);
});

test('it shows both lanes of every known pool', async () => {
  const names = (await readQueues()).map((queue) => queue.name);

  expect(names.sort()).toEqual(['big', 'big.waits', 'default', 'default.waits']);
});

test('it shows jobs with a link to their task', async () => {
  await queues.add('default', [
    {
      runId: 'r1',
      carrier: 5,
      cutAtS: 1_800_000_000,
      name: 'pull:CITY=berlin',
      taskCount: 1,
      firstTask: 17,
      priority: 0,
    },
  ]);

  const found = (await readQueues('?activeQueue=default&status=waiting')).find(
    (queue) => queue.name === 'default',
  );

  expect(found?.readOnlyMode).toBe(true);
  expect(found?.jobs).toMatchObject([
    {
      id: 'r1.5.1800000000',
      name: 'pull:CITY=berlin',
      externalUrl: { href: '/api/v1/runs/r1/tasks/17' },
    },
  ]);
});

test.each([
  ['PUT', 'queues/default/pause'],
  ['PUT', 'queues/pause'],
  ['PUT', 'queues/default/obliterate'],
  ['PUT', 'queues/default/r1.5.1800000000/clean'],
  ['PUT', 'queues/default/retry/failed'],
  ['POST', 'queues/default/add'],
  ['PATCH', 'queues/default/r1.5.1800000000/update-data'],
])('it refuses %s %s', async (method, path) => {
  const response = await fetch(api.at(`/board/api/${path}`), {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  });

  expect(response.status).toBe(405);
  expect(await queues.queue('default').isPaused()).toBe(false);
});

test('it finds the queues of workers that serve other pools', async () => {
  let now = Date.now();
  await using own = await startTestApi(inject('redisUrl'), { clock: { now: () => now } });
  const read = async (): Promise<readonly string[]> => {
    const response = await fetch(own.at('/board/api/queues'));
    return answer.parse(await response.json()).queues.map((queue) => queue.name);
  };
  expect(await read()).not.toContain('far');

  await signOn(own.redis, own.namespace, {
    ...{ name: 'w', number: 1, host: 'h', pid: 1, version: '0', startedAt: now, seenAt: now },
    ...{ slots: { far: 1 }, executors: [], running: 0, isStopping: false },
  });
  now += 5_000;

  expect(await read()).toContain('far');
});
