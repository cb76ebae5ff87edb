import { finishSteps } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { describePlan, options } from './expand.test-kit.ts';
import { expandLargeJson } from './expand-large.ts';

const expand = (text: string) => finishSteps(expandLargeJson(text, options));
const noop = { executor: 'noop' };

describe('JSON that is read task by task', () => {
  test('gives the plan and the head', () => {
    const tasks = [
      { class: 'b', ...noop, parents: ['a'] },
      { class: 'a', ...noop },
    ];

    const expansion = expand(JSON.stringify({ priority: 3, tasks, name: 'n' }));

    expect(expansion?.head).toMatchObject({ priority: 3, name: 'n' });
    expect(expansion && describePlan(expansion.plan)).toEqual({
      ids: ['b', 'a'],
      edges: { b: ['a succeeded all'] },
    });
  });

  test('tells all errors', () => {
    const tasks = [
      { class: 'a', colour: 1 },
      { class: 'b', executor: 'nop' },
    ];

    expect(() => expand(JSON.stringify({ nme: 'n', tasks }))).toThrow(
      /nme: .*\ntasks\[0\]\.colour: .*\ntasks\[1\]\.executor: /s,
    );
  });

  test.each([
    ['parameters', { parameters: { X: [1, 2] }, tasks: [{ class: 'a', ...noop }] }],
    ['parameters of a task', { tasks: [{ class: 'a', ...noop, parameters: { X: [1] } }] }],
    [
      'a match',
      {
        tasks: [
          { class: 'a', ...noop },
          { class: 'b', ...noop, parents: [{ class: 'a', match: true }] },
        ],
      },
    ],
    ['an object of tasks', { tasks: { a: noop } }],
    ['no tasks', { tasks: [] }],
  ])('leaves %s to who reads it as a whole', (_, spec) => {
    expect(expand(JSON.stringify(spec))).toBeNull();
  });

  test('leaves a syntax error to who reads it as a whole', () => {
    expect(expand('{"tasks":[{"class":a}]}')).toBeNull();
    expect(expand('{"name":x,"tasks":[{"class":"a"}]}')).toBeNull();
  });
});
