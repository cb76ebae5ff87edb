import { finishSteps, SpecError } from '@runnel/core';
import { expect, test } from 'vitest';
import { describePlan, options } from './expand.test-kit.ts';
import { validateGenerated } from './expand.ts';
import { parseGenerated } from './generated-text.ts';
import { addGeneratorEnds } from './generator-ends.ts';

const task = '{ "class": "a", "executor": "noop" }';

function classesOf(text: string): readonly string[] {
  const { value, locate } = parseGenerated(text);
  const { plan } = finishSteps(validateGenerated(value, { ...options, locate }));
  return plan === null ? ['?'] : describePlan(plan).ids;
}

function issuesOf(text: string): readonly string[] {
  try {
    const { value, locate } = parseGenerated(text);
    const { issues } = finishSteps(validateGenerated(value, { ...options, locate }));
    return new SpecError(issues).message.split('\n');
  } catch (error: unknown) {
    if (error instanceof SpecError) return error.message.split('\n');
    throw error;
  }
}

test.each([
  ['a list', `[${task}]`, ['a']],
  ['an object by class', '{ "a": { "executor": "noop" } }', ['a']],
  [
    'a class named "tasks"',
    '{ "tasks": { "executor": "noop" }, "b": { "executor": "noop" } }',
    ['tasks', 'b'],
  ],
  [
    'a set with parameters',
    '{ "parameters": { "N": [1, 2] }, "defaults": { "executor": "noop" }, "tasks": [{ "class": "a", "parameters": ["N"] }] }',
    ['a:N=1', 'a:N=2'],
  ],
  ['lines', `${task}\n\n${task.replace('"a"', '"b"')}\n`, ['a', 'b']],
  ['one line', task, ['a']],
])('a generated set may be %s', (_title, text, ids) => {
  expect(classesOf(text)).toEqual(ids);
});

test.each(['', ' \n', '[]', '{}', '{ "tasks": [] }'])('%j is an empty set', (text) => {
  expect(parseGenerated(text).isEmpty).toBe(true);
});

test('what is wrong with a set is said at once, with its places', () => {
  const text = `[
  { "class": "a", "executor": "nop" },
  { "class": "b", "executor": "noop", "parents": ["a"], "detials": 1 },
  { "class": "c", "executor": "noop", "children": ["run-task"] }
]`;

  expect(issuesOf(text)).toEqual([
    'tasks[0].executor (line 2, column 19): no executor is named "nop" (did you mean "noop"?); known are local, noop, sleep',
    'tasks[1].detials (line 3, column 57): unknown field "detials" (did you mean "details"?)',
    'tasks[2].children[0] (line 4, column 52): no task has the class "run-task"',
  ]);
});

test('a line that is no JSON is named by its number', () => {
  expect(issuesOf(`${task}\n{ "class": \n${task}\nx`)).toEqual([
    expect.stringMatching(/^.*\(line 2, column 12\)/),
    expect.stringMatching(/^.*\(line 4, column 1\)/),
  ]);
});

test('what belongs to the whole run is no part of a set', () => {
  expect(issuesOf(`{ "tasks": [${task}], "onFailure": "stop" }`)[0]).toBe(
    'onFailure (line 1, column 52): a generated set has no field "onFailure": known beside "tasks" are parameters, exclude, include, defaults; all else is the run\'s',
  );
});

test('names that are not in the set are left to the run', () => {
  const { value } = parseGenerated(
    `[${task}, { "class": "b", "executor": "noop", "runIf": "all-done", "parents": ["a", "clean", { "id": "x" }] }]`,
  );

  const { plan, outer } = finishSteps(validateGenerated(value, options));

  expect(plan === null ? null : describePlan(plan).edges).toEqual({ b: ['a done done'] });
  expect(outer).toMatchObject([
    {
      kind: 'class',
      name: 'clean',
      runIf: 'all-done',
      path: ['tasks', 1, 'parents', 1],
      first: 1,
      count: 1,
    },
    { kind: 'id', name: 'x', runIf: 'all-done', path: ['tasks', 1, 'parents', 2, 'id'] },
  ]);
});

test('children of a generator wait for its end barrier, by their own rule', () => {
  const spec = {
    defaults: { executor: 'noop' },
    tasks: [
      { class: 'gen', generator: true },
      { class: 'all', parents: ['gen'] },
      { class: 'any', parents: ['gen'], runIf: 'any-succeeded' },
      { class: 'failed', parents: [{ class: 'gen', on: 'failed' }] },
      { class: 'second', parents: ['gen', 'all'] },
    ],
  };

  const { plan } = finishSteps(validateGenerated(spec, options));
  const ended = plan === null ? null : finishSteps(addGeneratorEnds(plan));

  expect(ended?.barrierCount).toBe(3);
  expect(ended === null ? null : describePlan(ended).edges).toEqual({
    all: ['end:gen:all:succeeded succeeded all'],
    any: ['end:gen:any:succeeded succeeded any'],
    failed: ['end:gen:all:failed succeeded all'],
    second: ['all succeeded all', 'end:gen:all:succeeded succeeded all'],
    'end:gen:all:succeeded': ['gen succeeded all'],
    'end:gen:any:succeeded': ['gen undefined any'],
    'end:gen:all:failed': ['gen failed all'],
  });
});
