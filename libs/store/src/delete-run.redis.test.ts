import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { deleteRun, removeRun } from './delete-run.ts';
import type { RedisClient } from './script.ts';
import { readDemand } from './shards.ts';
import { allSucceeded, StoreDriver } from './store-driver.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

async function keysOf(namespace: string): Promise<readonly string[]> {
  const ofShards = /:(demand|outcomes)$/;
  return (await redis.keys(`${namespace}:*`)).filter((key) => !ofShards.test(key));
}

test('a deleted run leaves no key behind', async () => {
  const driver = await StoreDriver.submit(redis, 'gone', planOf([node, node]));
  await driver.turn();
  await driver.settle([allSucceeded(await driver.claimed(1))]);
  expect((await driver.summary()).state).toBe('succeeded');

  await deleteRun(redis, 'gone', driver.run.id);

  expect(await keysOf('gone')).toEqual([]);
});

test('a run that has not ended is not deleted', async () => {
  const driver = await StoreDriver.submit(redis, 'busy', planOf([node]));

  await expect(deleteRun(redis, 'busy', driver.run.id)).rejects.toThrow('is running: cancel it');
});

test('a run that is removed with ready tasks wants no slots any more, however often it is removed', async () => {
  const driver = await StoreDriver.submit(redis, 'demand', planOf([node, node]));
  const before = await readDemand(redis, 'demand');

  await redis.zadd(driver.run.names.submitting, 1, driver.run.id);
  await removeRun(redis, 'demand', driver.run.id, { set: 'submitting', until: 1 });
  await removeRun(redis, 'demand', driver.run.id, { set: 'submitting', until: 1 });

  expect(before.get('default')?.get(0)).toBe(1);
  expect((await readDemand(redis, 'demand')).get('default')?.get(0)).toBe(0);
});

test('a run that was sealed after it had been taken for abandoned is not removed', async () => {
  const driver = await StoreDriver.submit(redis, 'sealed', planOf([node]));

  const isRemoved = await removeRun(redis, 'sealed', driver.run.id, {
    set: 'submitting',
    until: Number.MAX_SAFE_INTEGER,
  });

  expect(isRemoved).toBe(false);
  expect((await driver.summary()).state).toBe('running');
});
