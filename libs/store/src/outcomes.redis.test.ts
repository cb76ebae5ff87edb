import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { shardOf } from './keys.ts';
import { findStuckShards, nudge, openOutcomes, readNewOutcomes } from './outcomes.ts';

let redis: Redis;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), (error) => {
    throw error;
  });
});

afterAll(() => redis.disconnect());

test('a shard is stuck when something of it was read and not acknowledged for long', async () => {
  const namespace = `stuck-${Date.now()}`;
  const shard = shardOf('one');
  const shards = [shard, (shard + 1) % 32];
  for (const one of shards) await openOutcomes(redis, namespace, one);
  await nudge(redis, namespace, 'one');

  const unread = await findStuckShards(redis, namespace, shards, 0);
  await readNewOutcomes(redis, namespace, shards, { count: 10, blockMs: null });

  expect(unread).toEqual([]);
  expect(await findStuckShards(redis, namespace, shards, 0)).toEqual([shard]);
  expect(await findStuckShards(redis, namespace, shards, 60_000)).toEqual([]);
});
