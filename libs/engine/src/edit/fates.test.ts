import { finishSteps, type Plan } from '@runnel/core';
import { expandSpec } from '@runnel/spec';
import { stateCode } from '@runnel/store';
import { expect, test } from 'vitest';
import { countFates } from './count-fates.ts';
import { readFate, tellFates } from './fates.ts';
import { withoutSets } from './live-sets.ts';
import { nodeKinds } from './node-facts.ts';
import { compareRevisions, readPlan } from './prepare-edit.ts';

const executors = { names: () => ['noop', 'local'], check: () => [] };
const noop = { executor: 'noop' };

function plan(tasks: readonly object[], rest: object = {}): Plan {
  const options = {
    limits: { maxTasks: 1e6, maxProduct: 1e6 },
    executors,
    pools: ['default', 'p'],
  };
  const withDefaults = tasks.map((task) => ({ ...noop, ...task }));
  const spec = { ...rest, tasks: withDefaults.map(stripBarrier) };
  return expandSpec(spec, { ...options, source: '/here' }).plan;
}

function stripBarrier(task: object): object {
  const { executor, ...own }: { executor?: string; kind?: string } = task;
  return own.kind === 'barrier' ? own : task;
}

/** All tasks succeeded, but those whose numbers are named. */
function compare(before: Plan, after: Plan, ended: Readonly<Record<number, number>> = {}) {
  const names = { name: before.name, source: '/here' };
  const old = withoutSets(finishSteps(readPlan(before, names)), before);
  const comparison = finishSteps(compareRevisions(old, { plan: after, source: '/here' }));
  const states = new Uint8Array(before.nodeCount).fill(stateCode.succeeded);
  for (const [number, state] of Object.entries(ended)) states[Number(number)] = state;
  const fates = finishSteps(tellFates({ ...comparison, states }));
  return { comparison, fates, counts: countFates(comparison, fates) };
}

/** Fate and reason of each task of the new plan, in its order. */
function fatesOf(...args: Parameters<typeof compare>): readonly string[] {
  const { comparison, fates } = compare(...args);
  return Array.from(comparison.fresh.kinds, (kind, node) => {
    const found = readFate(fates[comparison.numbering.numberOf[node] ?? 0] ?? 0);
    return kind === nodeKinds.task ? [found?.fate, found?.reason].filter(Boolean).join(' ') : '';
  }).filter(Boolean);
}

const chain = [
  { class: 'a', details: { x: 1 } },
  { class: 'b', parents: ['a'], details: { y: 1 } },
  { class: 'c', parents: ['b'] },
  { class: 'other' },
];

test('the same spec runs nothing again', () => {
  expect(fatesOf(plan(chain), plan(chain))).toEqual(['reused', 'reused', 'reused', 'reused']);
});

test('changed details run the task again and all after it', () => {
  const changed = chain.map((task) => (task.class === 'b' ? { ...task, details: { y: 2 } } : task));

  expect(fatesOf(plan(chain), plan(changed))).toEqual([
    'reused',
    'rerun details',
    'rerun parent-reran',
    'reused',
  ]);
});

test('the order of fields in details changes nothing', () => {
  const before = [{ class: 'a', details: { x: 1, y: { p: 1, q: 2 } } }];
  const after = [{ class: 'a', details: { y: { q: 2, p: 1 }, x: 1 } }];

  expect(fatesOf(plan(before), plan(after))).toEqual(['reused']);
});

test('a version runs the task again, another executor counts as other details', () => {
  const before = [{ class: 'a' }, { class: 'b' }, { class: 'c', version: 1 }];
  const after = [
    { class: 'a', version: 'two' },
    { class: 'b', executor: 'local' },
    { class: 'c', version: 1 },
  ];

  expect(fatesOf(plan(before), plan(after))).toEqual(['rerun version', 'rerun details', 'reused']);
});

test('policies change nothing', () => {
  const policies = {
    ...{ retries: 3, timeout: '10m', pool: 'p', priority: 5, allowFailure: true },
    ...{ resources: { gpu: 1 }, successExitCodes: [0, 1] },
  };
  const after = chain.map((task) => ({ ...task, ...policies }));

  const { counts, comparison } = compare(plan(chain), plan(after));

  expect(counts).toMatchObject({ reused: 4, kept: 0, rerun: 0, new: 0, removed: 0 });
  expect(comparison.structure.groups.length).toBeGreaterThan(comparison.old.groups.length);
});

test('a value that is written otherwise is another value', () => {
  const spec = (value: unknown) =>
    plan([{ class: 'a', parameters: { YEAR: [value] }, details: { y: '{{YEAR}}' } }]);

  expect(fatesOf(spec(2012), spec('2012'))).toEqual(['rerun values']);
});

test('other parents, and other conditions of the same, run a task again', () => {
  const before = [
    { class: 'a' },
    { class: 'b' },
    { class: 'c', parents: ['a'] },
    { class: 'd', parents: ['a'] },
  ];
  const after = [
    { class: 'a' },
    { class: 'b' },
    { class: 'c', parents: ['a', 'b'] },
    { class: 'd', parents: [{ class: 'a', on: 'done' }] },
  ];

  expect(fatesOf(plan(before), plan(after))).toEqual([
    'reused',
    'reused',
    'rerun parents',
    'rerun parents',
  ]);
});

test('what never succeeded is decided anew, what goes on is kept, what was skipped stays so', () => {
  const tasks = ['failed', 'cancelled', 'upstream', 'skipped', 'open', 'delayed', 'below'].map(
    (name) => ({
      class: name,
      ...(name === 'below' ? { parents: [{ class: 'failed', on: 'done' }] } : {}),
    }),
  );
  const { failed, cancelled, skipped, none, delayed } = stateCode;
  const states = {
    0: failed,
    1: cancelled,
    2: stateCode['upstream-failed'],
    3: skipped,
    4: none,
    5: delayed,
  };

  expect(fatesOf(plan(tasks), plan(tasks), states)).toEqual([
    'rerun never-succeeded',
    'rerun never-succeeded',
    'rerun never-succeeded',
    'reused',
    'kept',
    'kept',
    'rerun parent-reran',
  ]);
});

test('new and removed tasks are counted by class, and numbers of others stay', () => {
  const before = [{ class: 'a' }, { class: 'gone' }, { class: 'z', parents: ['a'] }];
  const after = [{ class: 'added' }, { class: 'z', parents: ['a'] }, { class: 'a' }];

  const { counts, comparison } = compare(plan(before), plan(after));

  expect(counts.classes.map((one) => [one.class, one.reused, one.new, one.removed])).toEqual([
    ['added', 0, 1, 0],
    ['z', 1, 0, 0],
    ['a', 1, 0, 0],
    ['gone', 0, 0, 1],
  ]);
  expect([...comparison.numbering.numberOf]).toEqual([3, 2, 0]);
});

test('a barrier that comes between, because more tasks wait for the same, changes nothing for those that did', () => {
  const work = { class: 'work', parameters: { N: [1, 2, 3] }, details: { n: '{{N}}' } };
  const before = [work, { class: 'sum', parents: ['work'] }];
  const after = [...before, { class: 'also', parents: ['work'] }];

  expect(plan(after).nodeCount).toBe(6);
  expect(fatesOf(plan(before), plan(after))).toEqual([
    'reused',
    'reused',
    'reused',
    'reused',
    'new',
  ]);
  expect(fatesOf(plan(after), plan(before))).toEqual(['reused', 'reused', 'reused', 'reused']);
});

test('one more task of a class runs what waits for all of it', () => {
  const spec = (values: readonly number[]) =>
    plan([
      { class: 'work', parameters: { N: values }, details: { n: '{{N}}' } },
      { class: 'point', kind: 'barrier', parents: ['work'], runIf: 'all-done' },
      { class: 'one', parents: ['work'] },
      { class: 'two', parents: ['work'] },
      { class: 'three', parents: ['point'] },
    ]);

  expect(fatesOf(spec([1, 2]), spec([1, 2, 3]))).toEqual([
    'reused',
    'reused',
    'new',
    ...['rerun parents', 'rerun parents', 'rerun parent-reran'],
  ]);
});

test('the name of the run counts where details have it', () => {
  const tasks = [{ class: 'a', details: { name: '{{run.name}}' } }, { class: 'b' }];

  expect(fatesOf(plan(tasks, { name: 'one' }), plan(tasks, { name: 'two' }))).toEqual([
    'rerun details',
    'reused',
  ]);
});
