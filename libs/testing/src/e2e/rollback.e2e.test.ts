import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

/**
 * A master of a Cluster that dies takes what its replica had not got with it: one half of what
 * belongs together, run store or queue, is older than the other.
 */
const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runnel-rollback-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Keys of one slot's tag as they are now; the answer puts them back, all in one transaction. */
async function remember(redis: Redis, pattern: string): Promise<() => Promise<void>> {
  const keys = await redis.keys(pattern);
  const dump = redis.multi();
  for (const key of keys) dump.dumpBuffer(key).pttl(key);
  const values = (await dump.exec()) ?? [];
  return async () => {
    const now = await redis.keys(pattern);
    const restore = redis.multi();
    if (now.length > 0) restore.del(...now);
    for (const [index, key] of keys.entries()) {
      const value = values[2 * index]?.[1] as Buffer | null;
      const ttl = Number(values[2 * index + 1]?.[1]);
      if (value !== null) restore.restore(key, Math.max(0, ttl), value);
    }
    await restore.exec();
  };
}

test.each([
  ['the run store', 'runnel:{r*'],
  ['the queue', 'runnel:{q.*'],
])('a run ends right when %s comes back older than the rest', async (_what, pattern) => {
  await using stack = await Stack.start({
    api: true,
    listeners: 2,
    workers: 2,
    env: { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '4' },
  });
  const client = createClient({ url: stack.apiUrl });
  const redis = new Redis(stack.redisUrl);
  const journal = join(mkdtempSync(join(dir, 'journal-')), 'journal');
  const width = 600;
  const input = { journal, id: '{{task.id}}', ms: 5 };
  const ended = (count: number) =>
    waitFor(30_000, async () => {
      const ends = readJournal(journal).length / 2;
      return ends >= count ? { done: true } : { notYet: ends };
    });

  const { id } = await client.submitRun({
    value: {
      parameters: { N: { from: 1, to: width } },
      defaults: { executor: 'function', details: { name: 'wait', input } },
      tasks: [
        { class: 'a', parameters: ['N'] },
        { class: 'b', parameters: ['N'], parents: [{ class: 'a', match: true }] },
      ],
    },
  });
  await ended(50);
  const goBack = await remember(redis, pattern);
  await ended(400);
  await goBack();
  const run = await waitForEnd(client, id);
  redis.disconnect();

  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(2 * width);
});

test('a Redis that came back empty serves new runs, without a restart of anything', async () => {
  await using stack = await Stack.start({ api: true, listeners: 2, workers: 1 });
  const client = createClient({ url: stack.apiUrl });
  const redis = new Redis(stack.redisUrl);
  const value = {
    defaults: { executor: 'noop' },
    tasks: [{ class: 'a' }, { class: 'b', parents: ['a'] }],
  };
  await waitForEnd(client, (await client.submitRun({ value })).id);

  await redis.flushall();
  const run = await waitForEnd(client, (await client.submitRun({ value })).id);
  redis.disconnect();

  expect(run.state).toBe('succeeded');
});
