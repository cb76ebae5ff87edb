import { describe, expect, test } from 'vitest';
import { describePlan, expand } from './expand.test-kit.ts';

const noop = { executor: 'noop' };

describe('groups', () => {
  test('are shared by single tasks that differ only in details and id', () => {
    const plan = expand({
      tasks: [
        { class: 'a', id: 'x', ...noop, details: { n: 1 } },
        { class: 'b', ...noop },
        { class: 'a', id: 'y', ...noop, details: { n: 2 } },
        { class: 'a', ...noop, details: { n: 1 } },
      ],
    });

    expect(plan.groups.map((group) => [group.class, group.details])).toEqual([
      ['a', { n: 1 }],
      ['b', {}],
    ]);
    expect([...plan.groupRanges]).toEqual([0, 0, 1, 1, 2, 0]);
    expect([...plan.payloads()]).toEqual([
      { values: [], id: 'x' },
      { values: [] },
      { values: [], id: 'y', details: { n: 2 } },
      { values: [] },
    ]);
  });

  test('keep equal details once', () => {
    const plan = expand({
      tasks: [
        { class: 'a', id: 'x', ...noop, details: { n: 1 } },
        { class: 'a', id: 'y', ...noop, details: { n: 1 } },
      ],
    });

    expect(plan.groups).toHaveLength(1);
    expect(plan.groups[0]?.details).toEqual({ n: 1 });
    expect([...plan.payloads()]).toEqual([
      { values: [], id: 'x' },
      { values: [], id: 'y' },
    ]);
  });

  test('differ by policy and by what reaches them', () => {
    const plan = expand({
      tasks: [
        { class: 'p', ...noop },
        { class: 'a', id: 'a1', ...noop },
        { class: 'a', id: 'a2', ...noop, priority: 5 },
        { class: 'a', id: 'a3', ...noop, parents: ['p'] },
        { class: 'a', id: 'a4', ...noop },
      ],
    });

    expect([...plan.groupRanges]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 1]);
  });

  test('take the defaults, field by field', () => {
    const plan = expand({
      priority: 3,
      defaults: {
        executor: 'noop',
        pool: 'large',
        timeout: '90s',
        retries: { limit: 2, backoff: '5s', onExitCodes: [1] },
        resources: { gpu: 1, ram: 2 },
        details: { x: 1 },
        runIf: 'all-done',
      },
      tasks: [
        { class: 'a' },
        {
          class: 'b',
          parents: ['a'],
          pool: 'default',
          retries: 7,
          resources: { gpu: 2 },
          priority: 0,
          timeout: '1.5h',
        },
      ],
    });

    expect(plan.groups).toMatchObject([
      {
        executor: 'noop',
        pool: 'large',
        priority: 3,
        timeoutMs: 90_000,
        retries: { limit: 2, backoffMs: 5000, factor: 2, maxDelayMs: 300_000, onExitCodes: [1] },
        resources: { gpu: 1, ram: 2 },
        details: { x: 1 },
      },
      {
        pool: 'default',
        priority: 0,
        timeoutMs: 5_400_000,
        retries: { limit: 7, backoffMs: 5000, factor: 2, maxDelayMs: 300_000, onExitCodes: [1] },
        resources: { gpu: 2 },
      },
    ]);
    expect(describePlan(plan).edges).toEqual({ b: ['a done done'] });
  });

  test('leave braces alone where details are not templated', () => {
    const details = { command: ['docker', 'ps', '--format', '{{.Names}}'] };
    const plan = expand({ tasks: [{ class: 'a', templated: false, details }] });

    expect(plan.groups[0]).toMatchObject({ templated: false, details });
  });

  test('come from an object of tasks by class as from a list', () => {
    const plan = expand({
      tasks: { a: { ...noop }, b: { ...noop, parents: ['a'], id: 'second' } },
    });

    expect(describePlan(plan)).toEqual({
      ids: ['a', 'second'],
      edges: { second: ['a succeeded all'] },
    });
  });
});

describe('ids', () => {
  test('that are given have values appended where the entry expands', () => {
    const plan = expand({
      parameters: { X: [1, 2] },
      tasks: [
        { class: 'a', id: 'first', ...noop, parameters: ['X'] },
        { class: 'b', ...noop, parents: [{ id: 'first:X=2' }], children: [{ id: 'c:X=1' }] },
        { class: 'c', ...noop, parameters: ['X'] },
      ],
    });

    expect(describePlan(plan)).toEqual({
      ids: ['first:X=1', 'first:X=2', 'b', 'c:X=1', 'c:X=2'],
      edges: { b: ['first:X=2 succeeded all'], 'c:X=1': ['b succeeded all'] },
    });
    expect([...plan.payloads()]).toEqual([
      { values: [1], id: 'first:X=1' },
      { values: [2], id: 'first:X=2' },
      { values: [] },
      { values: [1] },
      { values: [2] },
    ]);
  });

  test('of several entries of one class write an irregular graph', () => {
    const plan = expand({
      tasks: [
        { class: 'work', id: 'a', ...noop },
        { class: 'work', id: 'b', ...noop, parents: [{ id: 'a' }] },
        { class: 'work', id: 'c', ...noop, parents: [{ id: 'a' }] },
        { class: 'work', id: 'd', ...noop, parents: [{ id: 'b' }, { id: 'c' }] },
        { class: 'end', ...noop, parents: ['work'] },
      ],
    });

    expect(describePlan(plan).edges).toEqual({
      b: ['a succeeded all'],
      c: ['a succeeded all'],
      d: ['b succeeded all', 'c succeeded all'],
      end: ['a succeeded all', 'b succeeded all', 'c succeeded all', 'd succeeded all'],
    });
  });
});
