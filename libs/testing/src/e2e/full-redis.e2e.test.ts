import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@runnel/client';
import { connectRedis, type RedisClient, readMemory } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

const megabyte = 1_048_576;
const tasks = 2_000;

/** Each task hands on 16 KB: 32 MB in all. */
const writing = {
  parameters: { N: { from: 1, to: tasks } },
  defaults: { executor: 'noop', details: { output: { n: '{{N}}', text: 'x'.repeat(16_000) } } },
  tasks: [
    { class: 'a', parameters: ['N'] },
    { class: 'end', parents: ['a'], details: {} },
  ],
};

async function setMaxmemory(redis: RedisClient, bytes: number): Promise<void> {
  await redis.config('SET', 'maxmemory', String(bytes));
}

test('a run stands still while Redis is full, and loses nothing', async () => {
  await using stack = await Stack.start({
    api: true,
    workers: 2,
    env: { RUNNEL_CONCURRENCY: '2' },
  });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redisUrl, () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  const { used } = await readMemory(redis);
  await setMaxmemory(redis, Math.round(used + 12 * megabyte));

  const { id } = await client.submitRun({ value: writing });
  await waitFor(60_000, async () => {
    const memory = await readMemory(redis);
    return memory.used > memory.most - 0.3 * megabyte ? { done: true } : { notYet: memory };
  });
  // Longer than a lock of BullMQ lasts, which can't be renewed meanwhile.
  await sleep(12_000);
  const before = await client.getRun(id);
  const refused = client.submitRun({ value: writing });
  await expect(refused).rejects.toMatchObject({ status: 503, code: 'REDIS_FULL' });
  await setMaxmemory(redis, used + 200 * megabyte);
  const run = await waitForEnd(client, id);

  expect(before.state).toBe('running');
  expect(before.counts.succeeded).toBeLessThan(tasks);
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(tasks + 1);
});

test('a run that can not fit is refused before anything of it is stored, with both numbers', async () => {
  await using stack = await Stack.start({ api: true, listeners: 0, workers: 0 });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redisUrl, () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  const value = {
    parameters: { N: { from: 1, to: 200_000 } },
    defaults: { executor: 'noop' },
    tasks: [
      { class: 'a', parameters: ['N'] },
      { class: 'b', parameters: ['N'], parents: [{ class: 'a', match: true }] },
    ],
  };
  const { used } = await readMemory(redis);

  await setMaxmemory(redis, Math.round((used + 4 * megabyte) / 0.8));
  await expect(client.submitRun({ value })).rejects.toMatchObject({
    status: 507,
    code: 'REDIS_TOO_SMALL',
    message: expect.stringMatching(/needs about \d+ bytes of Redis, and \d+ are left/),
  });
  expect(await redis.keys('*:run:*')).toEqual([]);

  await setMaxmemory(redis, Math.round((used + 40 * megabyte) / 0.8));
  const before = (await readMemory(redis)).used;
  await client.submitRun({ value });
  // 57 bytes a task at the end, 12 of them written while it runs.
  expect((await readMemory(redis)).used - before).toBeLessThan(400_000 * 45);
});
