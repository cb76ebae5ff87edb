import { describe, expect, test } from 'vitest';
import { describePlan, expand, options } from './expand.test-kit.ts';
import { validateSpec } from './expand.ts';

const noop = { executor: 'noop' };
const abc = { parameters: { X: ['a', 'b', 'c'] } };

describe('edges', () => {
  test('are one edge where both sides name them, or one side twice', () => {
    const plan = expand({
      tasks: [
        { class: 'a', ...noop, children: ['b', { id: 'b' }] },
        { class: 'b', ...noop, parents: ['a', 'a', { class: 'a' }, { id: 'a' }] },
      ],
    });

    expect(describePlan(plan).edges).toEqual({ b: ['a succeeded all'] });
    expect(plan.groups[1]?.inputs).toEqual([{ class: 'a', single: true }]);
  });

  test('carry the rule of the child', () => {
    const task = (name: string, runIf: string) => ({ class: name, ...noop, runIf, parents: ['a'] });
    const plan = expand({
      tasks: [
        { class: 'a', ...noop },
        task('b', 'all-succeeded'),
        task('c', 'none-failed'),
        task('d', 'any-succeeded'),
        task('e', 'any-failed'),
        task('f', 'all-done'),
        { class: 'g', ...noop, parents: [{ class: 'a', on: 'failed' }] },
        { class: 'h', ...noop, parents: [{ id: 'a', on: 'done' }] },
      ],
    });

    expect(describePlan(plan).edges).toEqual({
      b: ['a succeeded all'],
      c: ['a succeeded none-failed'],
      d: ['a succeeded any'],
      e: ['a failed any'],
      f: ['a done done'],
      g: ['a failed all'],
      h: ['a done all'],
    });
  });

  test('from all to all go through one barrier per class, rule and condition', () => {
    const plan = expand({
      tasks: [
        { class: 'a', ...noop, ...abc },
        { class: 'b', ...noop, parameters: { Y: [1, 2] }, parents: ['a'] },
        { class: 'c', ...noop, parents: ['a'] },
        { class: 'd', ...noop, parameters: { Y: [1, 2] }, parents: ['a'], runIf: 'any-failed' },
        { class: 'e', ...noop, parents: ['a'], runIf: 'all-done' },
      ],
    });

    expect(plan.nodeCount).toBe(11);
    expect(plan.barrierCount).toBe(2);
    expect(describePlan(plan).edges).toEqual({
      'b:Y=1': ['barrier:a:all-succeeded:succeeded succeeded all'],
      'b:Y=2': ['barrier:a:all-succeeded:succeeded succeeded all'],
      c: ['barrier:a:all-succeeded:succeeded succeeded all'],
      'd:Y=1': ['barrier:a:any-failed:succeeded succeeded any'],
      'd:Y=2': ['barrier:a:any-failed:succeeded succeeded any'],
      e: ['a:X=a done done', 'a:X=b done done', 'a:X=c done done'],
      'barrier:a:all-succeeded:succeeded': [
        'a:X=a succeeded all',
        'a:X=b succeeded all',
        'a:X=c succeeded all',
      ],
      'barrier:a:any-failed:succeeded': [
        'a:X=a failed any',
        'a:X=b failed any',
        'a:X=c failed any',
      ],
    });
    expect(plan.groups.at(-1)).toMatchObject({ kind: 'barrier', axes: [], inputs: [] });
  });

  test('leave outputs of the tasks behind a barrier with the child', () => {
    const plan = expand({
      tasks: [
        { class: 'a', ...noop, ...abc },
        { class: 'b', ...noop, ...abc, parents: ['a'], details: { all: '{{outputs.a}}' } },
      ],
    });

    expect(plan.barrierCount).toBe(1);
    expect(plan.groups[1]?.inputs).toEqual([{ class: 'a', single: false }]);
    expect(plan.groups[1]?.readsOutputs).toBe(true);
  });

  test('to a barrier that a user wrote are those of an ordinary node', () => {
    const plan = expand({
      tasks: [
        { class: 'a', ...noop, ...abc },
        { class: 'gate', kind: 'barrier', parents: ['a'], runIf: 'all-done' },
        { class: 'b', ...noop, ...abc, parents: ['gate'] },
      ],
    });

    expect(plan.nodeCount).toBe(7);
    expect(plan.barrierCount).toBe(1);
    expect(plan.groups[1]).toMatchObject({ class: 'gate', kind: 'barrier', details: null });
    expect(plan.groups[2]?.inputs).toEqual([]);
    expect(describePlan(plan).edges).toEqual({
      gate: ['a:X=a done done', 'a:X=b done done', 'a:X=c done done'],
      'b:X=a': ['gate succeeded all'],
      'b:X=b': ['gate succeeded all'],
      'b:X=c': ['gate succeeded all'],
    });
  });

  test('match the values that both sides share', () => {
    const plan = expand({
      parameters: { X: ['a', 'b'], Y: [1, 2] },
      tasks: [
        { class: 'p', ...noop, parameters: ['X', 'Y'] },
        { class: 'x', ...noop, parameters: ['X'], parents: [{ class: 'p', match: true }] },
        { class: 'xy', ...noop, parameters: ['X', 'Y'], parents: [{ class: 'p', match: ['Y'] }] },
        { class: 'same', ...noop, parameters: ['X', 'Y'], parents: [{ class: 'p', match: true }] },
        { class: 'up', ...noop, parameters: { X: ['b'] }, parents: [{ class: 'x', match: true }] },
      ],
    });

    expect(describePlan(plan).edges).toMatchObject({
      'x:X=a': ['p:X=a,Y=1 succeeded all', 'p:X=a,Y=2 succeeded all'],
      'x:X=b': ['p:X=b,Y=1 succeeded all', 'p:X=b,Y=2 succeeded all'],
      'xy:X=a,Y=2': ['p:X=a,Y=2 succeeded all', 'p:X=b,Y=2 succeeded all'],
      'same:X=b,Y=1': ['p:X=b,Y=1 succeeded all'],
      'up:X=b': ['x:X=b succeeded all'],
    });
    expect(plan.groups.map((group) => group.inputs)).toEqual([
      [],
      [{ class: 'p', single: false }],
      [{ class: 'p', single: false }],
      [{ class: 'p', single: true }],
      [{ class: 'x', single: true }],
    ]);
  });

  test('match over several entries of a class', () => {
    const plan = expand({
      tasks: [
        { class: 'p', ...noop, parameters: { X: [1] } },
        { class: 'p', ...noop, parameters: { X: [2] } },
        { class: 'c', ...noop, parameters: { X: [1, 2] }, parents: [{ class: 'p', match: true }] },
      ],
    });

    expect(describePlan(plan).edges).toEqual({
      'c:X=1': ['p:X=1 succeeded all'],
      'c:X=2': ['p:X=2 succeeded all'],
    });
    expect(plan.groups.at(-1)?.inputs).toEqual([{ class: 'p', single: true }]);
  });

  test('leave an instance without a counterpart alone where that is allowed', () => {
    const plan = expand({
      tasks: [
        { class: 'p', ...noop, parameters: { X: [2, 3] } },
        {
          class: 'c',
          ...noop,
          parameters: { X: [1, 2] },
          parents: [{ class: 'p', match: true, optional: true }],
        },
      ],
    });

    expect(describePlan(plan).edges).toEqual({ 'c:X=2': ['p:X=2 succeeded all'] });
  });

  test('are sorted by id whatever the order in which they are written', () => {
    const plan = expand({
      tasks: [
        { class: 'last', ...noop, parents: ['c', { id: 'a' }, 'b'] },
        { class: 'a', ...noop },
        { class: 'b', ...noop },
        { class: 'c', ...noop },
      ],
    });

    expect([...plan.parentOffsets]).toEqual([0, 3, 3, 3, 3]);
    expect([...plan.parents]).toEqual([1, 2, 3]);
  });

  test('from all to all between classes that share parameters are pointed out', () => {
    const { warnings, issues } = validateSpec(
      {
        parameters: { X: [1, 2] },
        tasks: [
          { class: 'a', ...noop, parameters: ['X'] },
          { class: 'b', ...noop, parameters: ['X'], parents: ['a'] },
        ],
      },
      options,
    );

    expect(issues).toEqual([]);
    expect(warnings).toEqual([
      {
        path: ['tasks', 1, 'parents', 0],
        message:
          'each task of "b" waits for every task of "a", though both use X: did you mean { class: a, match: true }?',
      },
    ]);
  });
});
