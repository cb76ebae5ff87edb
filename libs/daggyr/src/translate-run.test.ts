import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { specLines } from './spec-lines.ts';
import { echo, entriesOf, issuesOf, translate, warningsOf } from './translate.test-kit.ts';

test('a list: tasks of an expanded class are numbered, parents name classes', () => {
  const entries = entriesOf({
    tags: { user: 'myself' },
    parameters: { '{{DATE}}': ['2022-01-01', '2022-01-02'] },
    tasks: [
      {
        class: 'a',
        details: { command: ['echo', '{{DATE}}'], environment: { DAY: 'on {{DATE}}' } },
      },
      { class: 'b', parents: ['a'], children: ['c'], max_retries: 3, ...echo('done') },
      { class: 'c', ...echo() },
    ],
  });

  expect(entries).toEqual([
    {
      class: 'a',
      id: 'a.0',
      details: { command: ['echo', '2022-01-01'], environment: { DAY: 'on 2022-01-01' } },
    },
    {
      class: 'a',
      id: 'a.1',
      details: { command: ['echo', '2022-01-02'], environment: { DAY: 'on 2022-01-02' } },
    },
    {
      class: 'b',
      id: 'b',
      retries: 3,
      parents: ['a'],
      children: [{ id: 'c' }],
      details: { command: ['echo', 'done'] },
    },
    { class: 'c', id: 'c', details: { command: ['echo'] } },
  ]);
});

test('a map: an expanded task has a head and a tail, and others wait for the tail', () => {
  const entries = entriesOf({
    parameters: { DATE: ['1', '2'], ZONE: ['x'], UNUSED: ['u'] },
    tasks: {
      a: { ...echo('DATE', 'ZONE'), parents: ['z'], children: ['c'] },
      b: { ...echo('b'), parents: ['a'] },
      c: echo('c'),
      z: echo('ZONE'),
    },
  });

  expect(entries).toEqual([
    { class: 'a-head', id: 'a', executor: 'noop', parents: [{ id: 'z' }] },
    {
      class: 'a',
      id: 'a.DATE:1.ZONE:x',
      parents: [{ id: 'a' }],
      children: [{ id: 'a.tail' }],
      details: { command: ['echo', '1', 'x'] },
    },
    {
      class: 'a',
      id: 'a.DATE:2.ZONE:x',
      parents: [{ id: 'a' }],
      children: [{ id: 'a.tail' }],
      details: { command: ['echo', '2', 'x'] },
    },
    { class: 'a-tail', id: 'a.tail', executor: 'noop', children: [{ id: 'c' }] },
    {
      class: 'b',
      id: 'b',
      parents: [{ id: 'a.tail' }],
      details: { command: ['echo', 'b'] },
    },
    { class: 'c', id: 'c', details: { command: ['echo', 'c'] } },
    { class: 'z', id: 'z', details: { command: ['echo', 'x'] } },
  ]);
});

test('keys are replaced where they stand, longer ones first, and values are not searched', () => {
  const [entry] = entriesOf({
    parameters: { DATE: ['DATE_END'], DATE_END: ['b'], 'a.c': ['dot'] },
    tasks: { t: echo('xDATEx', 'DATE_END', 'a.c', 'abc', '{{DATE}}') },
  });

  expect(entry?.details).toEqual({
    command: ['echo', 'xDATE_ENDx', 'b', 'dot', 'abc', '{{DATE_END}}'],
  });
});

test("a task's own parameters take the place of the run's", () => {
  const entries = entriesOf({
    parameters: { N: ['1'] },
    tasks: { t: { ...echo('N'), parameters: { N: ['8', '9'] } }, u: echo('N') },
  });

  expect(entries.map(({ id }) => id)).toEqual(['t', 't.N:8', 't.N:9', 't.tail', 'u']);
});

test('instances that are given stay, and the others of the class are counted on', () => {
  const entries = entriesOf({
    parameters: { N: ['1', '2'] },
    tasks: [
      { class: 'a', instance: 4, ...echo() },
      { class: 'a', ...echo('N') },
      { class: 'a', instance: 0, ...echo() },
    ],
  });

  expect(entries.map(({ id }) => id)).toEqual(['a.4', 'a.5', 'a.6', 'a.0']);
});

test('the seconds of a timeout, resources and a generator get their native fields', () => {
  const [entry] = entriesOf({
    tasks: {
      t: {
        is_generator: true,
        details: { command: ['x'], timeout: 90, resources: { cores: 1, memory_mb: 100, gpus: 0 } },
      },
    },
  });

  expect(entry).toMatchObject({
    timeout: '90000ms',
    resources: { cores: 1, memory_mb: 100 },
    generator: 'daggyr',
  });
  expect(entry?.resources).not.toHaveProperty('gpus');
});

test('names that are no ids or classes here are encoded', () => {
  const entries = entriesOf({
    tasks: {
      'my task': echo(),
      '7': { ...echo(), parents: ['my task'] },
      'a.b': echo(),
      a_b: echo(),
    },
  });

  expect(entries.map(({ class: name, id, parents }) => [name, id, parents])).toEqual([
    ['_7', '%37', [{ id: 'my%20task' }]],
    ['my_task', 'my%20task', undefined],
    ['a_b', 'a.b', undefined],
    ['a_b_2', 'a_b', undefined],
  ]);
});

test('all mistakes are told at once, each with its place', () => {
  expect(
    issuesOf({
      pool: 5,
      parameters: { DATE: ['1', '2', '1'], NONE: [], ONE: 'x' },
      tasks: {
        a: { details: {} },
        b: { details: { command: 'echo hi', timeout: '60' } },
        c: { ...echo('NONE'), parents: 'a', max_retries: -1 },
        d: 5,
      },
    }),
  ).toEqual([
    'pool: expected the name of a pool, a string',
    'parameters.DATE[2]: the value "1" is there twice, it is also number 0: two tasks would have one name; leave one of them out',
    'parameters.ONE: expected a list of values, such as ["2022-01-01"]',
    'tasks.a.details.command: missing: a task needs a list of words such as ["echo", "hi"]; for a shell ["sh", "-c", "echo hi"]',
    'tasks.b.details.command: a task needs a list of words such as ["echo", "hi"]; for a shell ["sh", "-c", "echo hi"]',
    'tasks.b.details.timeout: expected a number of seconds, such as 60',
    'tasks.c.parents: expected a list of names, such as ["pull"]',
    'tasks.c.max_retries: expected a whole number from 0',
    'tasks.d: expected a task: an object with details, parents, children',
    'parameters.NONE: the list is empty, and "c" uses it: name a value, or leave the task out',
  ]);
});

test('what would take minutes to look through is refused', () => {
  const parameters = Object.fromEntries(
    Array.from({ length: 101 }, (_, index) => [`KEY${index}`, ['1']]),
  );

  expect(issuesOf({ parameters, tasks: { a: echo('x'.repeat(600_000)) } })).toEqual([
    'parameters: there are 101 parameters; at most 100 are taken',
    'tasks.a.details: command and environment have 600004 characters; at most 500000 are taken: write them to a file that the command reads',
  ]);
});

test('names that JavaScript knows are names like others', () => {
  const document =
    '{"tasks":{"__proto__":{"details":{"command":["x"]}},"constructor":{"details":{"command":["y"]},"parents":["toString"]},"toString":{"details":{"command":["z"]}}}}';

  expect(entriesOf(JSON.parse(document)).map(({ id, parents }) => [id, parents])).toEqual([
    ['__proto__', undefined],
    ['constructor', [{ id: 'toString' }]],
    ['toString', undefined],
  ]);
});

test('of very many mistakes a hundred are told, the others counted', () => {
  const issues = issuesOf({ tasks: Array.from({ length: 250 }, () => ({})) });

  expect(issues).toHaveLength(101);
  expect(issues.at(-1)).toBe(': and 150 more');
});

test('the same instance twice is a mistake', () => {
  const twice = { class: 'a', instance: 1, ...echo() };

  expect(issuesOf({ tasks: [twice, twice] })).toEqual([
    'tasks[1].instance: "a" has an instance 1 already, tasks[0]: give another number, or none',
  ]);
});

test('fields that DaggyR ignored are warned of, with what to do', () => {
  expect(
    warningsOf({
      owner: 'me',
      pool: 'slurm',
      tasks: {
        a: {
          command: ['echo'],
          task_type: 'Normal',
          max_retries: 1000,
          details: { command: ['echo'], env: { A: 1 }, children: ['b'], timout: 3 },
        },
        b: echo(),
      },
    }),
  ).toEqual([
    'owner: the field "owner" is not known and ignored, as DaggyR did; known are tags, parameters, tasks, pool',
    'tasks.a.command: the field "command" is not known and ignored, as DaggyR did; known are details, parents, children, parameters, is_generator, max_retries',
    'tasks.a.details.env: the field "env" is not known and ignored, as DaggyR did (did you mean "environment"?); known are command, environment, timeout, resources',
    'tasks.a.details.children: "children" is ignored inside of details, as DaggyR did: move it out, beside "details"',
    'tasks.a.details.timout: the field "timout" is not known and ignored, as DaggyR did (did you mean "timeout"?); known are command, environment, timeout, resources',
    'tasks.a.max_retries: 1000 retries are more than 254, the most there are here: 254 are made',
    'pool: no pool is named "slurm": the tasks go to the pool "default"; make it known with RUNNEL_KNOWN_POOLS, and have workers serve it with RUNNEL_POOLS; known are default, gpu',
  ]);
});

test('a pool that is known is that of every task', () => {
  expect(translate({ pool: 'gpu', tasks: { a: echo() } }).head).toEqual({
    tags: {},
    defaults: { templated: false, pool: 'gpu' },
  });
});

test('a run that is too large is refused before anything is expanded', () => {
  const values = Array.from({ length: 1000 }, (_, index) => String(index));

  expect(
    issuesOf({ parameters: { AA: values, BB: values, CC: values }, tasks: { a: echo('AABBCC') } }),
  ).toEqual([
    'tasks.a: AA, BB, CC make 1000000000 tasks of it; at most 2000000 are made of one (RUNNEL_MAX_PRODUCT)',
    'tasks: they become 1000000002 tasks; a run has at most 2000000 (RUNNEL_MAX_TASKS)',
  ]);
});

test('a place in the spec is told as the place in the document that it came from', () => {
  const { toSourcePath } = translate({
    parameters: { N: ['1', '2'] },
    tasks: { a: echo('N'), b: { ...echo(), parents: ['a'] } },
  });

  expect(toSourcePath(['tasks', 2, 'details', 'command', 1])).toEqual([
    ...['tasks', 'a', 'details', 'command', 1],
  ]);
  expect(toSourcePath(['tasks', 4, 'parents', 0])).toEqual(['tasks', 'b', 'parents', 0]);
  expect(toSourcePath(['tasks', 4, 'timeout'])).toEqual(['tasks', 'b', 'details', 'timeout']);
  expect(toSourcePath(['tags', 'x'])).toEqual(['tags', 'x']);
});

test('the edges of a task with very many parents are told by these, so that no line is long', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `a-parent-with-a-long-name-${index}`);
  const parents = Object.fromEntries(names.map((name) => [name, echo()]));
  const document = { tasks: { report: { ...echo(), parents: names }, ...parents } };

  const entries = entriesOf(document);
  const longest = [...specLines(translate(document))]
    .flatMap((text) => text.split('\n'))
    .reduce((most, line) => Math.max(most, line.length), 0);

  expect(entries[0]).not.toHaveProperty('parents');
  expect(entries.filter(({ children }) => children !== undefined)).toHaveLength(20_000);
  expect(entries[1]?.children).toEqual([{ id: 'report' }]);
  expect(longest).toBeLessThan(1_000);
});

test('with very many names, tasks that are alone share a class', () => {
  const many = Array.from({ length: 2_000 }, (_, index) => ({ class: `c${index}`, ...echo() }));
  const pair = [0, 1].map(() => ({ class: 'task', ...echo() }));

  const entries = entriesOf({
    tasks: [...many, ...pair, { class: 'z', parents: ['task'], ...echo() }],
  });

  expect(entries[0]).toMatchObject({ class: 'task', id: 'c0' });
  expect(entries[2000]).toMatchObject({ class: 'task_2', id: 'task.0' });
  expect(entries[2002]).toMatchObject({ class: 'task', id: 'z', parents: ['task_2'] });
});

test('a million tasks are made one by one', () => {
  const values = (of: string) => Array.from({ length: 1_000 }, (_, index) => `${of}${index}`);
  const translation = translate({
    parameters: { AA: values('a'), BB: values('b') },
    tasks: { t: echo('AA', 'BB') },
  });

  const before = heldBytes();
  let count = 0;
  let held = 0;
  for (const _ of translation.entries()) {
    if (++count % 250_000 === 0) held = Math.max(held, heldBytes() - before);
  }

  expect(count).toBe(1_000_002);
  // All of them at once are more than 500 MB.
  expect(held).toBeLessThan(300 * 1024 ** 2);
});

/** What is in use once everything that nobody needs has gone. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
