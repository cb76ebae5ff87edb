import { describeIssue, type Plan, SpecError } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { describePlan, options, payloadsOf } from './expand.test-kit.ts';
import type { ExpandOptions } from './expand.ts';
import { SpecLines } from './spec-lines.ts';

const task = (fields: object): string => JSON.stringify({ executor: 'noop', ...fields });

async function read(lines: readonly string[], changes: Partial<ExpandOptions> = {}): Promise<Plan> {
  const spec = new SpecLines({ ...options, ...changes });
  await spec.write(Buffer.from(lines.join('\n')));
  return (await spec.end()).plan;
}

async function errorOf(
  lines: readonly string[],
  changes: Partial<ExpandOptions> = {},
): Promise<SpecError> {
  try {
    await read(lines, changes);
  } catch (error: unknown) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}

const issuesOf = async (...args: Parameters<typeof errorOf>): Promise<string[]> =>
  (await errorOf(...args)).issues.map(describeIssue);

describe('a spec that comes line by line', () => {
  test('has its tasks in any order', async () => {
    const plan = await read([
      '{"name":"n","onFailure":"stop","parallelism":4,"tags":{"a":"b"}}',
      task({ class: 'sum', parents: ['part', { id: 'x', on: 'done' }] }),
      task({ class: 'part', id: 'p1' }),
      task({ class: 'part', id: 'p2', children: [{ id: 'x' }] }),
      task({ class: 'other', id: 'x' }),
    ]);

    expect([plan.name, plan.onFailure, plan.parallelism, plan.tags]).toEqual([
      'n',
      'stop',
      4,
      { a: 'b' },
    ]);
    expect(describePlan(plan)).toEqual({
      ids: ['sum', 'p1', 'p2', 'x'],
      edges: {
        sum: ['p1 succeeded all', 'p2 succeeded all', 'x done all'],
        x: ['p2 succeeded all'],
      },
    });
  });

  test('may have empty lines, Windows line ends, and a mark at its beginning', async () => {
    const plan = await read([
      '\ufeff{}\r',
      '',
      task({ class: 'a' }),
      ' \r',
      `${task({ class: 'b' })}\r`,
      '',
    ]);

    expect(describePlan(plan).ids).toEqual(['a', 'b']);
  });

  test('has details of its own for each task', async () => {
    const command = (word: string) => ({ details: { command: ['echo', word] }, executor: 'local' });

    const plan = await read([
      '{}',
      ...['a', 'b', 'a', '{{task.id}}'].map((word, index) =>
        task({ class: 'say', id: `t${index}`, ...command(word) }),
      ),
    ]);

    expect(plan.groups).toHaveLength(1);
    expect(payloadsOf(plan)).toEqual(
      ['a', 'b', 'a', '{{task.id}}'].map((word, index) => ({
        values: [],
        id: `t${index}`,
        details: { command: ['echo', word] },
      })),
    );
  });

  test('keeps the details of many tasks apart', async () => {
    const tasks = Array.from({ length: 5000 }, (_, index) =>
      task({ class: 'a', id: `t${index}`, details: { n: index, text: 'x'.repeat(index % 7) } }),
    );

    const plan = await read(['{}', ...tasks]);

    expect(payloadsOf(plan).map((payload) => payload.details)).toEqual(
      tasks.map((_, index) => ({ n: index, text: 'x'.repeat(index % 7) })),
    );
  });
});

describe('errors in lines', () => {
  test('name the line, in order', async () => {
    expect(
      await issuesOf([
        '{"nme":"n"}',
        task({ class: 'a', parents: [{ id: 'nobody' }] }),
        task({ class: 'b', colour: 1 }),
        '',
        task({ class: 'c', timeout: '10' }),
      ]),
    ).toEqual([
      'nme (line 1): unknown field "nme" (did you mean "name"?)',
      'tasks[0].parents[0].id (line 2): no task has the id "nobody"',
      expect.stringContaining('tasks[1].colour (line 3): unknown field "colour"'),
      expect.stringContaining('tasks[2].timeout (line 5): '),
    ]);
  });

  test('that are no JSON have a column, and others are told beside them', async () => {
    const error = await errorOf([
      '{}',
      '{"class": a}',
      '[1]',
      task({ class: 'a', parents: ['b'] }),
    ]);

    expect(error.code).toBe('SPEC_UNREADABLE');
    expect(error.issues.map(describeIssue)).toEqual([
      "tasks[0] (line 2, column 11): not valid JSON: Unexpected token 'a'",
      'tasks[1] (line 3): expected an object, got a list',
      'tasks[2].parents[0] (line 4): no task has the class "b"',
    ]);
  });

  test('of names that an object has twice are found', async () => {
    expect(await issuesOf(['{}', '{"class":"a","class":"b"}'])).toEqual([
      'tasks[0].class (line 2, column 14): the name "class" is used twice in one object',
    ]);
  });

  test.each([
    ['no head', [task({ class: 'a' })], 'class (line 1): the first line is the head of the spec'],
    ['a head that is no object', ['[]', task({ class: 'a' })], 'expected an object, got a list'],
    [
      'a head that is no JSON',
      ['{', task({ class: 'a' })],
      "not valid JSON: Expected property name or '}' (line 1, column 2)",
    ],
    ['nothing at all', [], 'the first line is the head of the spec'],
    ['a head alone', ['{}'], 'tasks: there are no tasks'],
    ['tasks in the head', ['{"tasks":[]}', task({ class: 'a' })], 'tasks (line 1): in a spec that'],
    [
      'parameters in the head',
      ['{"parameters":{"X":[1]}}', task({ class: 'a' })],
      'parameters (line 1): a spec that comes line by line has no parameters',
    ],
    [
      'parameters of a task',
      ['{}', task({ class: 'a', parameters: { X: [1] } })],
      'tasks[0].parameters (line 2): a spec that comes line by line has no parameters',
    ],
    [
      'a match',
      ['{}', task({ class: 'b' }), task({ class: 'a', parents: [{ class: 'b', match: true }] })],
      'tasks[1].parents[0].match (line 3): a spec that comes line by line has no parameters',
    ],
    [
      'a placeholder for a parameter',
      ['{}', task({ class: 'a', details: { x: '{{CITY}}' } })],
      'tasks[0].details.x (line 2): {{CITY}}: no parameter is named "CITY"',
    ],
    [
      'a dangerous name',
      ['{}', '{"class":"a","__proto__":{}}'],
      'tasks[0].__proto__ (line 2): the name "__proto__" is not allowed',
    ],
    [
      'an id twice',
      ['{}', task({ class: 'a', id: 'x' }), task({ class: 'b', id: 'x' })],
      'tasks[1].id (line 3): the id "x" is used twice: tasks[0] has it too',
    ],
    [
      'a field that hides in another',
      ['{}', task({ class: 'a' }), '{"class":"a\\nexecutor:noop","id":"x"}'],
      'tasks[1].class (line 3): ',
    ],
  ])('%s', async (_, lines, message) => {
    expect(await issuesOf(lines)).toEqual([expect.stringContaining(message)]);
  });

  test('show a cycle by its ids, wherever it begins', async () => {
    const parentOf = [2, 0, 1];
    const tasks = parentOf.map((parent, index) =>
      task({ class: 'a', id: `t${index}`, parents: [{ id: `t${parent}` }] }),
    );

    expect(await issuesOf(['{}', task({ class: 'z' }), ...tasks])).toEqual([
      'tasks[1] (line 3): the tasks wait for each other: t0 → t1 → t2 → t0',
    ]);
  });

  test('are told up to a hundred, and then nothing more is read', async () => {
    const spec = new SpecLines(options);
    const line = `${task({ class: 'a', colour: 1 })}\n`;

    await spec.write(Buffer.from(`{}\n${line.repeat(99)}`));
    const before = spec.isDecided;
    await spec.write(Buffer.from(line.repeat(1000)));

    expect([before, spec.isDecided]).toEqual([false, true]);
    await expect(spec.end()).rejects.toThrow(/tasks\[99\] *.*\(line 101\)|tasks\[99\]/);
  });
});

describe('limits of lines', () => {
  const limits = { maxTasks: 3, maxProduct: 3, maxEdges: 4 };
  const ids = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `t${index}` }));

  test('of tasks, with both numbers', async () => {
    const tasks = ids(9).map((id) => task({ class: 'a', ...id }));

    expect(await issuesOf(['{}', ...tasks], { limits })).toEqual([
      'tasks: the run has 4 tasks or more, over the limit of 3',
    ]);
  });

  test('of edges, with both numbers', async () => {
    const parents = ids(2);
    const tasks = ids(3).map((id) =>
      task({ class: 'a', ...id, parents: id.id < 't2' ? [] : parents }),
    );

    expect(describePlan(await read(['{}', ...tasks], { limits })).ids).toHaveLength(3);
    expect(
      await issuesOf(
        ['{}', ...tasks.slice(0, 2), task({ class: 'b', parents: ids(2).concat(ids(2), ids(2)) })],
        {
          limits,
        },
      ),
    ).toEqual(['tasks: the run has 6 edges or more, over the limit of 4']);
  });
});

describe('lines that are alike', () => {
  test('are told apart where only one of them is wrong', async () => {
    expect(
      await issuesOf([
        '{}',
        '{"class":"a","executor":"noop","id":"x"}',
        '{"class":"a","executor":"noop","id":"y"} x',
        '{"class":"a","executor":"noop","id":"z",}',
        '{"class":"a","executor":"noop","id":"x"}',
        '{"class":"a","executor":"noop","id":""}',
        '{"class":"a","executor":"noop","id":"v","parents":[{"id":"z"}]}',
      ]),
    ).toEqual([
      'tasks[1] (line 3, column 42): not valid JSON: Unexpected non-whitespace character after JSON',
      expect.stringContaining('tasks[2] (line 4, column 41): not valid JSON'),
      expect.stringContaining('tasks[3].id (line 5): the id "x" is used twice'),
      expect.stringContaining('tasks[4].id (line 6): an id has 1 to 200 characters'),
      expect.stringContaining('tasks[4].id (line 6): an id of digits only'),
      expect.stringContaining('tasks[5].parents[0].id (line 7): no task has the id "z"'),
    ]);
  });

  test('may be spelled in any way', async () => {
    const plan = await read([
      '{}',
      '{"class": "a", "executor": "noop", "id": "x"}',
      '{"class": "a", "executor": "noop", "id": "y", "parents": [{"id": "x"}]}',
      '{"id":"z","parents":[ { "id" : "x" }, {"id":"y","on":"done"} ],"executor":"noop","class":"a"}',
      '{"parents":["a"],"executor":"noop","class":"b"}',
      '{"parents":["a"],"executor":"noop","class":"c"}',
    ]);

    expect(describePlan(plan).edges).toMatchObject({
      y: ['x succeeded all'],
      z: ['x succeeded all', 'y done all'],
      b: ['barrier:a:all-succeeded:succeeded succeeded all'],
    });
  });
});
