import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { connectRedis, runHandle } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { retryPagePoints, retryPoints } from './failpoint-cases.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
const env = { RUNNEL_FUNCTIONS: functions };

/** The first attempt of each `first` fails, the second succeeds; a `second` hangs on each, and `last` on all. */
function flaky(width: number, journal: string): unknown {
  const act = { name: 'act', input: { journal, id: '{{N}}', attempts: ['failed', 'succeeded'] } };
  return {
    parameters: { N: { from: 1, to: width } },
    defaults: { executor: 'noop' },
    tasks: [
      { class: 'first', executor: 'function', parameters: ['N'], details: act },
      { class: 'second', parameters: ['N'], parents: [{ class: 'first', match: true }] },
      { class: 'last', parents: ['second'] },
    ],
  };
}

async function waitForRetry(client: Client, id: string, width: number): Promise<void> {
  const run = await waitForEnd(client, id, 90_000);

  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(2 * width + 1);
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
}

test.concurrent.each([
  ...retryPoints.map((point) => `${point}=crash`),
  'retry.after-begin=lose-reply',
])('an api with %s: the run is retried, or can be', async (armed) => {
  await using stack = await Stack.start({ env });
  const api = await stack.add('api', { RUNNEL_FAILPOINTS: armed });
  const client = createClient({ url: stack.apiUrl });
  const journal = join(stack.dir, 'journal');
  const { id } = await client.submitRun({ value: flaky(20, journal) });
  expect((await waitForEnd(client, id)).state).toBe('failed');

  await expect(client.retryRun(id)).rejects.toThrow();
  if (armed.endsWith('crash')) {
    await api.gone;
    await stack.add('api');
  }
  const again = createClient({ url: stack.apiUrl });
  if (armed.startsWith('retry.before')) await again.retryRun(id);

  await waitForRetry(again, id, 20);
});

test.concurrent.each([
  ...retryPagePoints.flatMap((point) => [`${point}=crash@1`, `${point}=crash@4`]),
  'retry.after-page=lose-reply@2',
])('a listener with %s, in the middle of a retry: another goes on with it', async (armed) => {
  await using stack = await Stack.start({ api: true, listeners: 0, env });
  const listener = await stack.add('listener', { RUNNEL_FAILPOINTS: armed });
  const client = createClient({ url: stack.apiUrl });
  const width = 1_000;
  const { id } = await client.submitRun({ value: flaky(width, join(stack.dir, 'journal')) });
  expect((await waitForEnd(client, id)).state).toBe('failed');

  const { reset, leftRunning } = await client.retryRun(id);
  if (armed.includes('crash')) {
    await listener.gone;
    await stack.add('listener');
  }

  expect({ reset, leftRunning }).toEqual({ reset: 2 * width + 1, leftRunning: 0 });
  await waitForRetry(client, id, width);
});

test.concurrent('kill -9 of the listener in the middle of a retry of 20,000 tasks', async () => {
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redis.url, () => undefined);
  const width = 20_000;
  const journal = join(stack.dir, 'journal');
  const { id } = await client.submitRun({ value: flaky(width, journal) });
  expect((await waitForEnd(client, id, 90_000)).state).toBe('failed');

  await client.retryRun(id);
  const { names } = runHandle('runnel', id);
  await waitFor(20_000, async () => {
    const [phase, at] = await redis.hmget(names.meta, 'retry', 'retryAt');
    const isUnderWay = Number(phase) > 1 || (Number(phase) === 1 && Number(at) > 0);
    return isUnderWay ? { done: true } : { notYet: { phase, at } };
  });
  await stack.of('listener')[0]?.kill('SIGKILL');
  const phase = await redis.hget(names.meta, 'retry');
  redis.disconnect();
  await stack.add('listener');

  expect(['1', '2', '3']).toContain(phase);
  await waitForRetry(client, id, width);
  // Each attempt was made once.
  const ran = readJournal(journal).filter((line) => line !== '');
  expect(new Set(ran).size).toBe(ran.length);
});

test.concurrent('a task that is brought back has all its retries again, and its attempts are kept', async () => {
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const attempts = ['failed', 'failed', 'failed', 'succeeded', 'succeeded'];
  const input = { journal: join(stack.dir, 'journal'), id: 1, attempts };
  const value = {
    tasks: [
      {
        class: 'a',
        executor: 'function',
        retries: { limit: 1, backoff: '1ms' },
        details: { name: 'act', input },
      },
    ],
  };
  const { id } = await client.submitRun({ value });
  const first = await waitForEnd(client, id);

  await client.retryRun(id);
  const second = await waitForEnd(client, id);
  await client.retryRun(id, { from: ['a'] });
  const third = await waitForEnd(client, id);
  const task = await client.getTask(id, 'a');

  expect([first, second, third].map(({ state }) => state)).toEqual([
    ...['failed', 'succeeded', 'succeeded'],
  ]);
  expect(task).toMatchObject({ attempt: 5, output: { id: 1 } });
  expect(task.failures.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(task.successes).toMatchObject([{ attempt: 4 }]);
  expect(readJournal(input.journal)).toEqual(['1 1', '1 2', '1 3', '1 4', '1 5']);
});

test.concurrent('a cancelled run is retried at once, by the worker that aborted it', async () => {
  await using stack = await Stack.start({ api: true });
  const client = createClient({ url: stack.apiUrl });
  const value = {
    parameters: { N: { from: 1, to: 40 } },
    tasks: [{ class: 'a', executor: 'sleep', parameters: ['N'], details: { ms: 2_000 } }],
  };
  const { id } = await client.submitRun({ value });
  await waitFor(30_000, async () => {
    const { running } = (await client.getRun(id)).counts;
    return running > 0 ? { done: true } : { notYet: running };
  });
  await client.cancelRun(id);
  const cancelled = await waitForEnd(client, id);

  const { reset } = await client.retryRun(id);
  const run = await waitForEnd(client, id);

  expect(cancelled.state).toBe('cancelled');
  expect(reset).toBe(cancelled.counts.cancelled);
  expect({ state: run.state, succeeded: run.counts.succeeded }).toEqual({
    ...{ state: 'succeeded', succeeded: 40 },
  });
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});
