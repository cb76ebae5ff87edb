import { armFailpoints } from '@runnel/core';
import { expandSpec } from '@runnel/spec';
import { connectRedis, findTask, type RedisClient, readGenerated } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ExecutorFacts } from '../executors.ts';
import { GrowingRun, type TaskEnd, tools } from '../generate/growing.test-kit.ts';
import { type EditDone, editRun } from './edit-run.ts';
import { readInfo } from './growing-play.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  armFailpoints(undefined);
  await redis.quit();
});

const executors: ExecutorFacts = {
  lane: () => 'computes',
  maxBatch: () => 4,
  isSideBySide: () => false,
};

const succeeds: TaskEnd = { outcome: 'succeeded' };
const gen = { class: 'gen', generator: true };
const collect = { class: 'collect', parents: ['gen'] };

function parts(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => ({
    ...{ class: 'part', id: `p${n}`, executor: 'noop', details: { n } },
  }));
}

async function edit(run: GrowingRun, tasks: readonly object[]): Promise<EditDone> {
  const { plan } = expandSpec(
    { defaults: { executor: 'noop' }, tasks },
    { ...tools.options, source: null },
  );
  const answer = await editRun({ redis, executors, now: () => 1 }, await readInfo(run), {
    ...{ plan, source: null, priority: 0, by: null },
    spec: { kind: 'document', value: { tasks } },
    list: { limit: 1_000, after: 0 },
  });
  await run.driver.refresh();
  run.infos.forget(run.driver.run.id);
  run.started.length = 0;
  return answer;
}

function listed({ tasks }: EditDone): readonly string[] {
  return tasks.map(({ id, fate, reason }) => [id, fate, reason].filter(Boolean).join(' '));
}

test('ids and details of what was generated are as they were after two edits, and new tasks come behind', async () => {
  await using run = await GrowingRun.submit(redis, [gen, collect]);
  const set = parts(600);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set } : succeeds));
  const before = await findTask(redis, await readInfo(run), 'gen.p599');

  const one = await edit(run, [gen, collect, { class: 'more' }]);
  await run.play(() => succeeds);
  const two = await edit(run, [gen, { ...collect, version: 2 }, { class: 'other' }]);
  await run.play(() => succeeds);

  expect([one.reused, one.new, two.reused, two.rerun]).toEqual([602, 1, 601, 1]);
  expect(listed(two)).toEqual(['collect rerun version', 'other new', 'more removed']);
  expect(run.started.sort()).toEqual(['collect', 'other']);
  const info = await readInfo(run);
  expect(await findTask(redis, info, 'gen.p599')).toBe(before);
  expect(await findTask(redis, info, 'more')).toBeNull();
  for (const n of [0, 255, 256, 599]) {
    const number = (await findTask(redis, info, `gen.p${n}`)) ?? -1;
    expect(await info.task(number)).toMatchObject({ id: `gen.p${n}`, details: { n } });
  }
  expect(await findTask(redis, info, 'other')).toBeGreaterThan(before ?? 0);
  expect(await run.findings()).toEqual([]);
});

test('a generator that changed takes all that it generated with it, and generates anew', async () => {
  await using run = await GrowingRun.submit(redis, [gen, collect]);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(2) } : succeeds));

  const answer = await edit(run, [{ ...gen, version: 2 }, collect]);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(3).slice(1) } : succeeds));

  expect(listed(answer)).toEqual([
    ...['gen rerun version', 'collect rerun parent-reran', 'gen.p0 removed', 'gen.p1 removed'],
  ]);
  expect(run.started).toEqual(['gen', 'gen.p1', 'gen.p2', 'collect']);
  expect(await run.counts()).toEqual({ succeeded: 4 });
  expect(await run.findings()).toEqual([]);
});

test('what generated tasks wait for may come to wait for the generator: it runs again, and fails', async () => {
  const early = { class: 'early' };
  await using run = await GrowingRun.submit(redis, [early, gen, collect]);
  const set = [{ class: 'a', executor: 'noop', parents: ['early'] }];
  await run.play((id) => (id === 'gen' ? { ...succeeds, set } : succeeds));

  const answer = await edit(run, [gen, { ...early, parents: ['gen'] }, collect]);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set } : succeeds));

  expect(listed(answer)).toEqual([
    ...['gen rerun parents', 'early rerun parents'],
    ...['collect rerun parent-reran', 'gen.a removed'],
  ]);
  const message = expect.stringContaining('that would be a cycle');
  expect(run.refused).toMatchObject([{ reason: 'output-invalid', message }]);
  expect(await run.states()).toEqual({
    ...{ gen: 'failed', early: 'upstream-failed', collect: 'upstream-failed' },
  });
  expect(await run.findings()).toEqual([]);
});

test('a task of the spec that has the id of a generated one is a task of its own', async () => {
  await using run = await GrowingRun.submit(redis, [gen, collect]);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(1) } : succeeds));

  const answer = await edit(run, [gen, collect, { class: 'x', id: 'gen.p0' }]);
  await run.play(() => succeeds);

  expect(answer).toMatchObject({ reused: 3, new: 1, removed: 0 });
  expect(run.started).toEqual(['gen.p0']);
  expect(await run.findings()).toEqual([]);
});

test('a set that joins while an edit is prepared is part of the edited run', async () => {
  await using run = await GrowingRun.submit(redis, [gen, collect]);
  const delivery = await run.claimOnly();
  armFailpoints('edit.after-parts=pause:500');

  const editing = edit(run, [gen, { ...collect, runIf: 'all-done' }]);
  // From now on it has read the run.
  while ((await redis.keys(`*${run.driver.run.id}~*`)).length === 0);
  expect((await run.join(delivery, parts(2))).outcome).toBe('succeeded');
  const answer = await editing;
  armFailpoints(undefined);

  expect(answer).toMatchObject({ reused: 0, kept: 3, rerun: 1, new: 0, removed: 0 });
  expect(await redis.keys(`*${run.driver.run.id}~*`)).toEqual([]);
  await run.settleAll(delivery);
  await run.play(() => succeeds);
  expect(run.started).toEqual(['gen.p0', 'gen.p1', 'collect']);
  expect(await run.findings()).toEqual([]);
});

test('while a run is frozen no set joins it, and it is made for the new structure afterwards', async () => {
  await using run = await GrowingRun.submit(redis, [gen, collect]);
  const delivery = await run.claimOnly();
  armFailpoints('edit.before-swap=pause:500');

  const editing = edit(run, [gen, { class: 'late', parents: ['gen'] }]);
  while ((await redis.hget(run.driver.run.names.meta, 'editing')) === null);
  const joining = run.join(delivery, parts(2));
  const answer = await editing;
  armFailpoints(undefined);

  expect(answer).toMatchObject({ kept: 1, new: 1, removed: 1 });
  expect((await joining).outcome).toBe('succeeded');
  const generated = await readGenerated(redis, run.driver.run);
  expect([...generated.values()].map(({ count }) => count)).toEqual([2]);
  await run.settleAll(delivery);
  await run.play(() => succeeds);
  expect(run.started).toEqual(['gen.p0', 'gen.p1', 'late']);
  expect(await run.findings()).toEqual([]);
});
