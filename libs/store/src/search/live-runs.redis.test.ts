import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from '../connect.ts';
import { removeRun } from '../delete-run.ts';
import type { RedisClient } from '../script.ts';
import { StoreDriver } from '../store-driver.ts';
import { haltPage } from '../turns.ts';
import { LiveRuns } from './live-runs.ts';
import { type RunPosition, walkRuns } from './walk-runs.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});
afterAll(async () => {
  await redis.quit();
});

/** A run that was cancelled, with a tag. */
async function ended(namespace: string, tag: string, createdAt: number): Promise<string> {
  const { run } = await StoreDriver.submit(redis, namespace, planOf([node]));
  await haltPage(redis, run, 'cancel', createdAt + 1);
  await redis.hset(run.names.meta, { tags: JSON.stringify({ t: tag }), created: createdAt });
  await redis.zadd(run.names.runs, createdAt, run.id);
  return run.id;
}

const withTag = (value: string) => ({
  limit: 50,
  tags: [{ key: 't', value, isPrefix: false }],
});

test('what comes, changes and goes is found as it is, by searches at once too', async () => {
  const namespace = 'livesearch';
  const live = new LiveRuns(redis, namespace);
  const find = async (tag: string) =>
    (await live.find(withTag(tag))).runs.map((run) => run.facts.handle.id);
  const ids: string[] = [];

  for (let n = 0; n < 20; n++) {
    ids.unshift(await ended(namespace, 'a', 1_000 + n));
    const [one, other] = await Promise.all([find('a'), find('a')]);
    expect([one, other]).toEqual([ids, ids]);
  }
  const [first = ''] = ids;
  await removeRun(redis, namespace, first, { set: 'ended', until: Number.MAX_SAFE_INTEGER });
  const after = await find('a');
  const none = await find('b');

  expect(after).toEqual(ids.slice(1));
  expect(none).toEqual([]);
  expect((await live.countTags()).get('t')?.get('a')).toBe(19);
});

test('a walk gives every run once, newest first, also many of one time', async () => {
  const namespace = 'livewalk';
  const all: RunPosition[] = [];
  for (let n = 0; n < 120; n++) {
    const createdAt = 5_000 + (n < 60 ? 7 : n);
    all.push({ id: await ended(namespace, 'x', createdAt), createdAt });
  }
  const wanted = all
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);

  for (const first of [1, 7, 1_000]) {
    const batches = await Array.fromAsync(walkRuns(redis, namespace, { first }));
    expect(batches.flat().map(({ id }) => id)).toEqual(wanted);
  }
  const after = all[50];
  const rest = await Array.fromAsync(walkRuns(redis, namespace, { first: 3, after }));
  expect(rest.flat().map(({ id }) => id)).toEqual(wanted.slice(51));
});
