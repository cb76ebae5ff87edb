import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { openShadow } from './edit/shadow.ts';
import { runHandle, withQueues } from './run-handle.ts';
import type { RedisClient } from './script.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

test('a hash of many small fields goes in pages that a script can take', async () => {
  const live = withQueues(runHandle('page-writer', 'many-fields'), ['default']);
  const { run, pages } = await openShadow(redis, live, { token: 't', queues: ['default'], now: 1 });

  for (let field = 0; field < 20_000; field++) {
    await pages.write({ key: 'counts', field: `${field}:0`, bytes: Buffer.from('1') });
  }
  await pages.flush();

  expect(await redis.hlen(run.names.counts)).toBe(20_000);
});
