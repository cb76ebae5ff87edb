import { openArchive } from '@runnel/archive';
import { moveRun } from '@runnel/engine';
import { runHandle } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from './api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

/** A run that was cancelled when its first task had succeeded after so long. */
async function ended(value: object, firstMs: number): Promise<string> {
  const { id } = await api.client.submitRun({ value: { ...pair, ...value } });
  const { state, attempts } = runHandle(api.namespace, id).names;
  const record = Buffer.alloc(12);
  record.writeUInt32LE(1, 0);
  record.writeFloatLE(firstMs, 4);
  await api.client.cancelRun(id);
  await api.redis.setrange(state, 0, Buffer.from([2]));
  await api.redis.setrange(attempts, 0, record);
  return id;
}

async function move(id: string): Promise<void> {
  await using archive = await openArchive({ ...api.settings, onError: () => undefined });
  if (archive === null) throw new Error('there is no archive');
  const { redis, namespace } = api;
  const until = Number.MAX_SAFE_INTEGER;
  expect(await moveRun({ redis, namespace, archive, now: Date.now }, id, until)).toBe('moved');
}

test('runs of Redis and of the archive are counted together, by name and tags', async () => {
  const [old, tagged] = [
    await ended({ name: 'nightly' }, 1_000),
    await ended({ name: 'nightly', tags: { owner: 'data' } }, 3_000),
  ];
  await move(old);
  await move(tagged);
  const latest = await ended({ name: 'nightly' }, 9_000);
  await ended({ name: 'other' }, 60_000);
  await api.client.submitRun({ value: { ...pair, name: 'nightly' } });

  const all = await api.client.getHistory({ name: 'nightly' });
  const ofTeam = await api.client.getHistory({ tags: ['owner:da*'] });
  const newest = await api.client.getHistory({ name: 'nightly', runs: 1 });
  const none = await api.client.getHistory({ name: 'never' });

  const since = async (id: string): Promise<string> => (await api.client.getRun(id)).createdAt;
  expect([all.runs, all.since]).toEqual([3, await since(old)]);
  expect(all.classes).toMatchObject([
    { class: 'first', tasks: 3, attempts: 3, failureRate: 0 },
    { class: 'second', tasks: 3, attempts: 0, p50Ms: null },
  ]);
  expect(within(all.classes[0]?.p50Ms, 3_000)).toBe(true);
  expect(within(all.classes[0]?.p95Ms, 9_000)).toBe(true);
  expect([ofTeam.runs, within(ofTeam.classes[0]?.p50Ms, 3_000)]).toEqual([1, true]);
  expect([newest.runs, newest.since]).toEqual([1, await since(latest)]);
  expect(within(newest.classes[0]?.p50Ms, 9_000)).toBe(true);
  expect(none).toEqual({ runs: 0, since: null, classes: [] });
});

test('of a run that goes on, earlier ones of its name say what it can not say yet', async () => {
  await move(await ended({ name: 'hourly' }, 2_000));
  const { id } = await api.client.submitRun({ value: { ...pair, name: 'hourly' } });

  const estimate = await api.client.getEstimate(id);

  // The second was never measured, and is taken to be like the first.
  expect(within(estimate.remainingMs ?? 0, 4_000)).toBe(true);
  expect(estimate.unmeasured).toEqual(['second']);
});

test('tasks of a name that is known begin in deliveries that fit what they took', async () => {
  await ended({ name: 'known' }, 5_000);
  const submit = async (): Promise<string | null> => {
    const { id } = await api.client.submitRun({ value: { ...pair, name: 'known' } });
    return await api.redis.hget(runHandle(api.namespace, id).names.counts, '0:e');
  };

  // The first who asks is not held up by it.
  let micros = await submit();
  const until = performance.now() + 5_000;
  while (micros === null && performance.now() < until) micros = await submit();

  expect(within(Number(micros) / 1_000, 5_000)).toBe(true);
});

/** Quantiles are told within 4.4 %. */
function within(ms: number | null | undefined, wanted: number): boolean {
  return typeof ms === 'number' && Math.abs(ms / wanted - 1) < 0.05;
}
