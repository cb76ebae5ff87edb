import { expandSpec } from '@runnel/spec';
import { connectRedis, type RedisClient } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ExecutorFacts } from '../executors.ts';
import { GrowingRun, type TaskEnd, tools } from '../generate/growing.test-kit.ts';
import { pauseParts } from '../pause-parts.ts';
import type { OpenSelector } from '../select-open.ts';
import { editRun } from './edit-run.ts';
import { pausedParts, resumeAll } from './growing-pauses.test-kit.ts';
import { readInfo } from './growing-play.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const executors: ExecutorFacts = {
  lane: () => 'computes',
  maxBatch: () => 4,
  isSideBySide: () => false,
};

const succeeds: TaskEnd = { outcome: 'succeeded' };

async function pause(run: GrowingRun, selector: OpenSelector): Promise<void> {
  const context = { redis, now: 1, by: 'ann' };
  await pauseParts(context, await readInfo(run), { selector, isDryRun: false });
}

async function edit(run: GrowingRun, tasks: readonly object[]): Promise<void> {
  const { plan } = expandSpec(
    { defaults: { executor: 'noop' }, tasks },
    { ...tools.options, source: null },
  );
  const spec = { kind: 'document', value: { tasks } } as const;
  await editRun({ redis, executors, now: () => 1 }, await readInfo(run), {
    ...{ plan, spec, source: null, priority: 0, by: null },
  });
  await run.driver.refresh();
  run.infos.forget(run.driver.run.id);
}

const ids = ['a', 'b', 'c', 'd'];
const work = (names: readonly string[], rest: object = {}): readonly object[] =>
  names.map((id) => ({ class: 'work', id, ...rest }));

/** Ready tasks that are put aside, and those that may start. */
async function readyCounts({ driver }: GrowingRun): Promise<object> {
  const meta = await redis.hgetall(driver.run.names.meta);
  const ready = driver.run.queues.map((_, queue) => Number(meta[`r${queue}`] ?? 0));
  return {
    aside: Number(meta['parked'] ?? 0),
    ready: ready.reduce((sum, count) => sum + count, 0),
  };
}

test('a paused class stays paused, with tasks that are new and where its tasks get another pool', async () => {
  await using run = await GrowingRun.submit(redis, [...work(ids), { class: 'other' }]);
  await pause(run, { classes: ['work'] });
  await run.driver.turn();

  await edit(run, [
    ...work(['b', 'c', 'new'], { pool: 'large' }),
    { class: 'other' },
    { class: 'x' },
  ]);

  expect(await readyCounts(run)).toEqual({ aside: 3, ready: 2 });
  expect(await run.findings()).toEqual([]);
  await run.play(() => succeeds);
  expect([...run.started].sort()).toEqual(['other', 'x']);
  await resumeAll(run);
  await run.play(() => succeeds);
  expect([...run.started].sort()).toEqual(['b', 'c', 'new', 'other', 'x']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('tasks that are paused stay so, and what is removed is forgotten', async () => {
  await using run = await GrowingRun.submit(redis, [...work(ids), { class: 'gone' }]);
  await pause(run, { tasks: ['a', 'b'] });
  await pause(run, { classes: ['gone'] });
  await run.driver.turn();

  await edit(run, work(['b', 'c', 'd']));

  expect(await pausedParts(run)).toEqual(new Set(['task b']));
  await run.play(() => succeeds);
  expect([...run.started].sort()).toEqual(['c', 'd']);
  expect(await readyCounts(run)).toEqual({ aside: 1, ready: 0 });
  await resumeAll(run);
  await run.play(() => succeeds);
  expect(await run.counts()).toEqual({ succeeded: 3 });
  expect(await run.findings()).toEqual([]);
});

test('a class of generated tasks stays paused as long as they go on', async () => {
  const gen = { class: 'gen', generator: true };
  await using run = await GrowingRun.submit(redis, [gen, { class: 'collect', parents: ['gen'] }]);
  const set = ['x', 'y'].map((id) => ({ class: 'part', id, executor: 'noop' }));
  const end = (id: string): TaskEnd => (id === 'gen' ? { ...succeeds, set } : succeeds);
  await run.play((id) => (id === 'gen' ? end(id) : null));
  await pause(run, { classes: ['gen.part'] });

  await edit(run, [gen, { class: 'collect', parents: ['gen'], version: 2 }]);
  expect(await pausedParts(run)).toEqual(new Set(['class gen.part']));
  await edit(run, [
    { ...gen, version: 2 },
    { class: 'collect', parents: ['gen'], version: 2 },
  ]);

  expect(await pausedParts(run)).toEqual(new Set());
  await run.play(end);
  expect(await run.state()).toBe('succeeded');
  expect(await run.counts()).toEqual({ succeeded: 4 });
  expect(await run.findings()).toEqual([]);
});
