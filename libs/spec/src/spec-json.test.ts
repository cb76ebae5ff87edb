import { describeIssue, type Plan, SpecError } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { describePlan, options, payloadsOf } from './expand.test-kit.ts';
import type { ExpandOptions } from './expand.ts';
import { type JsonSizes, SpecJson, type SpecOfJson } from './spec-json.ts';

/** As if every document were very large. */
const nothingHeld: JsonSizes = { largeBytes: 0, heldBytes: 0 };
const noop = { executor: 'noop' };

async function read(
  text: string | Buffer,
  {
    sizes = nothingHeld,
    changes = {},
  }: { sizes?: JsonSizes; changes?: Partial<ExpandOptions> } = {},
): Promise<SpecOfJson> {
  const spec = new SpecJson({ ...options, ...changes }, sizes);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) await spec.write(bytes.subarray(at, at + 7));
  return await spec.end();
}

async function planOf(spec: object): Promise<Plan> {
  const found = await read(JSON.stringify(spec));
  if (found.kind === 'document') throw new Error('it was read as a whole');
  return found.expansion.plan;
}

async function issuesOf(
  text: string,
  given: { sizes?: JsonSizes; changes?: Partial<ExpandOptions> } = {},
): Promise<string[]> {
  try {
    await read(text, given);
  } catch (error: unknown) {
    if (error instanceof SpecError) return [error.code, ...error.issues.map(describeIssue)];
    throw error;
  }
  throw new Error('the spec was accepted');
}

describe('JSON that is read task by task', () => {
  test('gives the plan, and the head wherever its fields stand', async () => {
    const tasks = [
      { class: 'b', parents: ['a'], details: { n: 1 } },
      { class: 'a', details: null },
      { class: 'c' },
    ];
    const text = JSON.stringify({
      priority: 3,
      tasks,
      defaults: { ...noop, details: { d: 1 } },
      name: 'n',
    });

    const found = await read(text);

    if (found.kind === 'document') throw new Error('it was read as a whole');
    const { plan } = found.expansion;
    expect(found.head).toMatchObject({ priority: 3, name: 'n' });
    expect(JSON.parse(found.headText)).toEqual({
      priority: 3,
      defaults: { ...noop, details: { d: 1 } },
      name: 'n',
    });
    expect(describePlan(plan)).toEqual({ ids: ['b', 'a', 'c'], edges: { b: ['a succeeded all'] } });
    expect(plan.groups.map(({ executor }) => executor)).toEqual(['noop', 'noop', 'noop']);
    expect(payloadsOf(plan).map(({ details }) => details)).toEqual([{ n: 1 }, {}, { d: 1 }]);
  });

  test('keeps the texts of many tasks', async () => {
    const tasks = Array.from({ length: 600 }, (_, index) => ({
      class: 'work',
      ...noop,
      id: `t${index}`,
      details: { text: 'é'.repeat(index % 9) },
    }));

    const plan = await planOf({ tasks });

    expect(plan.texts).toHaveLength(3);
    expect(payloadsOf(plan)).toEqual(tasks.map(({ id, details }) => ({ values: [], id, details })));
  });

  test.each([
    ['parameters', { parameters: { X: [1, 2] }, tasks: [{ class: 'a', ...noop }] }],
    ['parameters at its end', { tasks: [{ class: 'a', ...noop }], parameters: { X: [1, 2] } }],
    [
      'parameters of a task',
      {
        tasks: [
          { class: 'b', ...noop },
          { class: 'a', ...noop, parameters: { X: [1] } },
        ],
        name: 'n',
      },
    ],
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
  ])('leaves %s to who reads it as a whole, held or not', async (_, spec) => {
    const text = JSON.stringify(spec, null, 1);

    for (const sizes of [nothingHeld, { largeBytes: 0, heldBytes: 1e6 }]) {
      const found = await read(text, { sizes });

      if (found.kind !== 'document') throw new Error('it was read task by task');
      expect(found.document.value).toEqual(spec);
    }
  });
});

describe('what is wrong with JSON', () => {
  const wrong = JSON.stringify({
    nme: 'n',
    tasks: [
      { class: 'a', colour: 1 },
      { class: 'b', executor: 'nop' },
    ],
  });

  test('is told with its place where all of it is held', async () => {
    const found = await read(wrong, { sizes: { largeBytes: 0, heldBytes: 1e6 } });

    if (found.kind !== 'document') throw new Error('it was read task by task');
    expect(found.document.locate(['tasks', 0, 'colour'])).toEqual({ line: 1, column: 34 });
  });

  test('is told where it is not', async () => {
    expect(await issuesOf(wrong)).toEqual([
      'SPEC_INVALID',
      expect.stringContaining('tasks[0].colour: unknown field'),
      expect.stringContaining('tasks[1].executor: no executor is named "nop"'),
    ]);
  });

  test.each([
    ['{"tasks":[{"class":a}]}', "tasks[0]: not valid JSON: Unexpected token 'a'"],
    ['{"tasks":[{"class":"a","class":"b"}]}', 'tasks[0].class: the name "class" is used twice'],
    ['{"tasks":[{"class":"a"},]}', 'not valid JSON: Unexpected token'],
    ['{"tasks":[{"class":"a"}', 'not valid JSON: Expected'],
    ['{"tasks":[{"class":"a"}]} x', 'not valid JSON: Unexpected non-whitespace character'],
    ['{"name":x,"tasks":[{"class":"a"}]}', 'not valid JSON: Unexpected token'],
  ])('%s is no JSON', async (text, message) => {
    expect(await issuesOf(text)).toEqual(['SPEC_UNREADABLE', expect.stringContaining(message)]);
  });

  test('has a line and a column where all of it is held', async () => {
    const text = '{"tasks":[\n{"class":a}]}';

    expect(await issuesOf(text, { sizes: { largeBytes: 0, heldBytes: 100 } })).toEqual([
      'SPEC_UNREADABLE',
      "not valid JSON: Unexpected token 'a' (line 2, column 10)",
    ]);
  });

  test('are bytes that are no text', async () => {
    const bytes = Buffer.from('{"tasks":[{"class":"\xff"}]}', 'latin1');

    await expect(read(bytes)).rejects.toThrow('the body is not valid UTF-8');
  });
});

describe('limits of JSON', () => {
  const limits = { maxTasks: 3, maxProduct: 3, maxEdges: 2 };
  const taskOf = (index: number) => ({ class: 'a', id: `t${index}`, ...noop });

  test('of tasks: nothing more is read', async () => {
    const spec = new SpecJson({ ...options, limits }, nothingHeld);
    const tasks = Array.from({ length: 4 }, (_, index) => JSON.stringify(taskOf(index)));

    await spec.write(Buffer.from(`{"tasks":[${tasks.join()}`));

    expect(spec.isDecided).toBe(true);
    await expect(spec.end()).rejects.toThrow('the run has 4 tasks or more, over the limit of 3');
  });

  test('of edges, with both numbers', async () => {
    const tasks = [
      taskOf(0),
      { ...taskOf(1), parents: [{ id: 't0' }] },
      { ...taskOf(2), parents: [{ id: 't0' }, { id: 't1' }] },
    ];

    expect(await issuesOf(JSON.stringify({ tasks }), { changes: { limits } })).toEqual([
      'SPEC_INVALID',
      'tasks: the run has 3 edges or more, over the limit of 2',
    ]);
  });
});
