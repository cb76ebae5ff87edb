import { armFailpoints } from '@runnel/core';
import { planOf } from '@runnel/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { deleteRun, readAbandoned, removeRun } from './delete-run.ts';
import { shardOf } from './keys.ts';
import { readDemand } from './shards.ts';
import { allSucceeded, StoreDriver } from './store-driver.ts';

let redis: Redis;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const node = {
  isBarrier: false,
  runIf: 'all-succeeded',
  attempts: ['succeeded'],
  retries: 0,
  parents: [],
  allowFailure: false,
} as const;

async function keysOf(namespace: string): Promise<readonly string[]> {
  return (await redis.keys(`${namespace}:*`)).filter((key) => !key.endsWith(':demand'));
}

test('a deleted run leaves no key behind', async () => {
  const driver = await StoreDriver.submit(redis, 'gone', planOf([node, node]));
  await driver.turn();
  await driver.settle([allSucceeded(await driver.claimed(1))]);
  expect((await driver.summary()).state).toBe('succeeded');

  await deleteRun(redis, 'gone', driver.run.id);

  expect(await keysOf('gone')).toEqual([]);
});

test('a removal that broke off is found, and done again leaves no key behind', async () => {
  const driver = await StoreDriver.submit(redis, 'broken', planOf([node]));
  armFailpoints('remove.after-meta=error');
  await expect(removeRun(redis, 'broken', driver.run.id)).rejects.toThrow('remove.after-meta');
  armFailpoints(undefined);

  const soon = Date.now() + 1_000;
  const abandoned = await readAbandoned(redis, 'broken', shardOf(driver.run.id), soon);
  await removeRun(redis, 'broken', driver.run.id);

  expect(abandoned).toEqual([driver.run.id]);
  expect(await keysOf('broken')).toEqual([]);
});

test('a run that has not ended is not deleted', async () => {
  const driver = await StoreDriver.submit(redis, 'busy', planOf([node]));

  await expect(deleteRun(redis, 'busy', driver.run.id)).rejects.toThrow('is running: cancel it');
});

test('a run that is removed with ready tasks wants no slots any more, however often it is removed', async () => {
  const driver = await StoreDriver.submit(redis, 'demand', planOf([node, node]));
  const before = await readDemand(redis, 'demand');

  await removeRun(redis, 'demand', driver.run.id);
  await removeRun(redis, 'demand', driver.run.id);

  expect(before.get('default')?.get(0)).toBe(1);
  expect((await readDemand(redis, 'demand')).get('default')?.get(0)).toBe(0);
});
