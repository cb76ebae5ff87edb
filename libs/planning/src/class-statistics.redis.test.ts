import { connectRedis, type RedisClient, RunInfoCache } from '@runnel/store';
import { StoreDriver } from '@runnel/store/store-driver';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readClassStatistics } from './class-statistics.ts';
import { quantileOf } from './duration-histogram.ts';
import { drawPlan } from './plan.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

test('counts attempts, failures and retries by class, and how long successes took', async () => {
  const tasks = [
    { class: 'quick' },
    { class: 'quick' },
    { class: 'bad' },
    { class: 'late', after: [0] },
  ];
  const driver = await StoreDriver.submit(redis, 'statistics', drawPlan(tasks), { maxBatch: 1 });
  const { names } = driver.run;
  const record = Buffer.alloc(12);
  record.writeFloatLE(100, 4);
  await redis.setrange(names.attempts, 0, record);
  record.writeFloatLE(200, 4);
  await redis.setrange(names.attempts, 12, record);
  await redis.setrange(names.state, 0, Buffer.from([2, 2, 3]));
  await redis.hset(names.failures, '1.1', '{}', '2.1', '{}', '2.2', '{}');
  await redis.hset(names.tries, '1', '2', '2', '2');
  const info = await new RunInfoCache(redis, 'statistics').read(driver.run.id);

  const [quick, bad, late] = await readClassStatistics(redis, info);

  expect(quick).toMatchObject({
    ...{ class: 'quick', tasks: 2, attempts: 3, failedAttempts: 1, retriedTasks: 1 },
  });
  expect(quantileOf(quick?.durations ?? {}, 0.5)).toBeCloseTo(100, -1);
  expect(quantileOf(quick?.durations ?? {}, 0.95)).toBeCloseTo(195, -1);
  expect(bad).toMatchObject({ tasks: 1, attempts: 2, failedAttempts: 2, durations: {} });
  expect(late).toMatchObject({ tasks: 1, attempts: 0, retriedTasks: 0 });
});
