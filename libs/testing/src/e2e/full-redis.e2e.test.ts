import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { connectRedis, type RedisClient, readMemory } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

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

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));

/** A generator and one task that waits for all that it generates. */
function generating(stack: Stack, count: number): unknown {
  const input = { journal: join(stack.dir, 'journal'), count, executor: 'noop' };
  return {
    tasks: [
      {
        ...{ class: 'gen', executor: 'function', generator: true },
        details: { name: 'generate', input },
      },
      { class: 'collect', executor: 'noop', parents: ['gen'] },
    ],
  };
}

async function fillUp(redis: RedisClient, megabytes: number): Promise<void> {
  for (let key = 0; key < megabytes; key++)
    await redis.set(`ballast${key}`, Buffer.alloc(megabyte));
}

test('generated tasks wait while Redis is nearly full, say so, and join when there is room', async () => {
  const env = { RUNNEL_FUNCTIONS: functions };
  await using stack = await Stack.start({ api: true, workers: 0, env });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redisUrl, () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  const { id } = await client.submitRun({ value: generating(stack, 30_000) });
  await fillUp(redis, 60);
  // Some MB below 80 % could be freed, by buffers of calls say, and some MB are left for the worker itself.
  await setMaxmemory(redis, Math.round((await readMemory(redis)).used / 0.87));

  await stack.add('worker');
  await waitFor(60_000, async () => {
    const log = await client.getLog(id, 'gen').then(({ text }) => text, String);
    return log.includes('they wait for room') ? { done: log } : { notYet: log };
  });
  const before = await client.getRun(id);
  await setMaxmemory(redis, 200 * megabyte);
  const run = await waitForEnd(client, id);

  expect(before).toMatchObject({ state: 'running', taskCount: 2 });
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(30_002);
  // It generated once, and waited with what it had.
  expect(readJournal(join(stack.dir, 'journal'))).toEqual(['generate 1']);
  expect((await client.getLog(id, 'gen')).text).toMatch(
    /need about \d+ bytes of Redis, and \d+ are left below 80 % of maxmemory/,
  );
});

test('generated tasks that can not fit fail their generator, with both numbers', async () => {
  const env = { RUNNEL_FUNCTIONS: functions };
  await using stack = await Stack.start({ api: true, workers: 0, env });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redisUrl, () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  const { id } = await client.submitRun({ value: generating(stack, 300_000) });
  await setMaxmemory(redis, 10 * megabyte);

  await stack.add('worker');
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('failed');
  expect(run.taskCount).toBe(2);
  const { failures } = await client.getTask(id, 'gen');
  expect(failures).toMatchObject([
    {
      reason: 'output-invalid',
      message: expect.stringMatching(
        /need about \d+ bytes of Redis, over 80 % of its maxmemory of \d+: raise maxmemory, or generate fewer tasks/,
      ),
    },
  ]);
});

test('a Redis that fills up while tasks join shows none of them before there is room', async () => {
  const env = { RUNNEL_FUNCTIONS: functions };
  await using stack = await Stack.start({ api: true, workers: 0, env });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redisUrl, () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  await stack.add('worker', { RUNNEL_FAILPOINTS: 'append.after-page=pause:2000@2' });
  const { id } = await client.submitRun({ value: generating(stack, 60_000) });
  await waitFor(30_000, async () => {
    const keys = await redis.keys('*:run:*:meta');
    const token = await redis.hget(keys[0] ?? '', 'appendToken');
    return token === null ? { notYet: keys } : { done: true };
  });
  // A page is written; the next ones find no room.
  await fillUp(redis, 20);
  await setMaxmemory(redis, 12 * megabyte);
  await waitFor(30_000, async () => {
    const errors = await redis.info('errorstats');
    return errors.includes('errorstat_OOM') ? { done: true } : { notYet: errors };
  });
  await sleep(2_000);
  const during = await client.getRun(id);
  await setMaxmemory(redis, 400 * megabyte);
  const run = await waitForEnd(client, id, 90_000);

  expect(during).toMatchObject({ state: 'running', taskCount: 2 });
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(60_002);
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});
