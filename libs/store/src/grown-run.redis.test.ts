import { groupOf, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { RunInfoCache } from './run-info-cache.ts';
import type { RedisClient } from './script.ts';
import { allSucceeded, StoreDriver } from './store-driver.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const task = {
  ...({ isBarrier: false, runIf: 'all-succeeded', attempts: ['succeeded'] } as const),
  ...{ retries: 0, allowFailure: false },
};

/** A task and its child in another pool; the caller knows one queue only, as before the run grew. */
async function submitGrown(): Promise<StoreDriver> {
  const child = { ...task, parents: [{ id: 0, on: 'succeeded' as const }] };
  const plan = planOf([{ ...task, parents: [] }, child]);
  const groups = [groupOf(task, 'old'), { ...groupOf(task, 'new'), pool: 'new' }];
  const groupRanges = Uint32Array.from([0, 0, 1, 1]);
  const driver = await StoreDriver.submit(redis, 'grown', { ...plan, groups, groupRanges });
  const { run } = driver;
  const known = { names: run.names, more: (run.keys.more ?? []).slice(0, 1) };
  Object.assign(driver, { run: { ...run, queues: run.queues.slice(0, 1), keys: known } });
  return driver;
}

test('who knew fewer queues of a run is served all the same, and nothing is counted twice', async () => {
  const driver = await submitGrown();
  await driver.turn();
  const delivery = await driver.claimed(1);

  const answer = await driver.settle([allSucceeded(delivery)]);

  expect(answer).toMatchObject({ accepted: 1, duplicates: 0, state: 'running' });
  expect(await driver.summary()).toMatchObject({ counts: { succeeded: 1, ready: 1 } });
  expect(await redis.llen(`${driver.run.names.meta.slice(0, -4)}ready1`)).toBe(1);
});

test('a run is only taken for gone where Redis says so', async () => {
  const away = connectRedis(inject('redisUrl'), () => undefined);
  const infos = new RunInfoCache(away, 'grown');
  const { run } = await submitGrown();

  expect(await infos.readIfThere('nobody')).toBeNull();
  away.disconnect();
  await expect(infos.readIfThere(run.id)).rejects.toThrow('Connection is closed');
});

test('a cached run is read again only for a higher shape', async () => {
  const { run } = await submitGrown();
  const infos = new RunInfoCache(redis, 'grown');
  const before = await infos.readAt(run.id, 0);
  await redis.hincrby(run.names.meta, 'shape', 1);

  expect(await infos.readAt(run.id, 0)).toBe(before);
  const after = await infos.readAt(run.id, 1);
  expect(after).not.toBe(before);
  expect(after.facts.shape).toBe(1);
  expect(await infos.readAt(run.id, 1)).toBe(after);
});
