import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

/** As if the first task of a run had succeeded after a second. */
async function endFirst(id: string): Promise<void> {
  const [state] = await api.redis.keys(`${api.namespace}:*:run:${id}:state`);
  const record = Buffer.alloc(12);
  record.writeUInt32LE(1, 0);
  record.writeFloatLE(1_000, 4);
  await api.redis.setrange(state ?? '', 0, Buffer.from([2]));
  await api.redis.setrange((state ?? '').replace(/state$/, 'attempts'), 0, record);
}

test('a run tells durations and failures by class', async () => {
  const { id } = await api.client.submitRun({ value: pair });
  await endFirst(id);

  const { runs, classes } = await api.client.getStatistics(id);

  const nothing = { attempts: 0, failedAttempts: 0, failureRate: null, retriedTasks: 0 };
  expect(runs).toBe(1);
  expect(classes).toEqual([
    {
      ...nothing,
      class: 'first',
      tasks: 1,
      attempts: 1,
      failureRate: 0,
      p50Ms: about(1_000),
      p95Ms: about(1_000),
    },
    { ...nothing, class: 'second', tasks: 1, p50Ms: null, p95Ms: null },
  ]);
});

test('what is left of a run is guessed from what was measured, once something was', async () => {
  const { id } = await api.client.submitRun({ value: pair });

  const before = await api.client.getEstimate(id);
  expect(before).toEqual({ remainingMs: null, endsAt: null, path: [], unmeasured: [] });

  const { id: other } = await api.client.submitRun({ value: pair });
  await endFirst(other);
  const estimate = await api.client.getEstimate(other);

  expect(estimate).toMatchObject({ remainingMs: about(1_000), unmeasured: ['second'] });
  expect(estimate.path).toEqual([
    { class: 'second', tasks: 1, runMs: about(1_000), slotMs: 0, retryMs: 0 },
  ]);
  expect(Date.parse(estimate.endsAt ?? '')).toBeGreaterThan(Date.now());
});

function about(ms: number): unknown {
  return expect.closeTo(ms, -Math.floor(Math.log10(ms * 0.2)));
}
