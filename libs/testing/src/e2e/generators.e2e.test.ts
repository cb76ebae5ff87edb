import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { appendPoints } from './failpoint-cases.ts';
import { readJournal, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
const env = { RUNNEL_FUNCTIONS: functions };

/** A generator and one task that waits for all that it generates. */
function specOf(journal: string, count: number, executor = 'noop'): unknown {
  const details = { name: 'generate', input: { journal, count, executor } };
  return {
    tasks: [
      { class: 'gen', executor: 'function', generator: true, details },
      { class: 'collect', executor: 'noop', parents: ['gen'] },
    ],
  };
}

async function expectWhole(client: Client, id: string, tasks: number): Promise<void> {
  const run = await waitForEnd(client, id, 90_000);

  expect(run.state).toBe('succeeded');
  expect(run.taskCount).toBe(tasks);
  expect(run.counts.succeeded).toBe(tasks);
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
}

/** More than one call of Redis takes: it goes in pages. */
const large = 4_000;

test.concurrent.each(appendPoints)(
  'a crash of the worker at %s leaves a run that ends right, with each task once',
  async (point) => {
    await using stack = await Stack.start({ api: true, workers: 0, env });
    const client = createClient({ url: stack.apiUrl });
    const armed = await stack.add('worker', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const journal = join(stack.dir, 'journal');

    const { id } = await client.submitRun({ value: specOf(journal, large) });
    await armed.gone;
    await stack.add('worker');

    await expectWhole(client, id, large + 2);
    // The set that had joined is taken up again; what had not is generated once more, by the same attempt.
    const isThere = point === 'append.after-show';
    expect(readJournal(journal)).toEqual(Array(isThere ? 1 : 2).fill('generate 1'));
  },
);

test.concurrent('a reply that is lost when a set joins changes nothing', async () => {
  await using stack = await Stack.start({ api: true, workers: 0, env });
  const client = createClient({ url: stack.apiUrl });
  await stack.add('worker', { RUNNEL_FAILPOINTS: 'append.after-show=lose-reply' });

  const { id } = await client.submitRun({ value: specOf(join(stack.dir, 'journal'), 20) });

  await expectWhole(client, id, 22);
});

// What follows kills no process: one stack serves all of it.
let shared: Stack;
let client: Client;

beforeAll(async () => {
  shared = await Stack.start({ api: true, env, workers: 2 });
  client = createClient({ url: shared.apiUrl });
});

afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

test('generated tasks may need a queue that the run did not have', async () => {
  const { id } = await client.submitRun({
    value: specOf(join(shared.dir, 'journal'), 30, 'sleep'),
  });

  await expectWhole(client, id, 32);
});

const list = `console.log(JSON.stringify([{ class: 'a', executor: 'noop' }, { class: 'b', executor: 'noop' }]))`;
const lines = `for (const c of ['a', 'b']) console.log(JSON.stringify({ class: c, executor: 'noop' }))`;
const file = `console.log('some words'); require('node:fs').writeFileSync(process.env.RUNNEL_TASKS, '{"a":{"executor":"noop"},"b":{"executor":"noop"}}')`;

test.each([
  ['a list on stdout', list],
  ['lines on stdout', lines],
  ['a file, whatever stands on stdout', `console.error('x'); ${file}`],
])('a command generates with %s', async (_title, script) => {
  const details = { command: [process.execPath, '-e', script] };
  const tasks = [
    { class: 'gen', generator: true, details },
    { class: 'collect', executor: 'noop', parents: ['gen'] },
  ];

  const { id } = await client.submitRun({ value: { tasks } });

  await expectWhole(client, id, 4);
  const { tasks: listed } = await client.getTasks(id);
  expect(listed.map((task) => task.id)).toEqual(['gen', 'collect', 'gen.a', 'gen.b']);
});

test('who follows a run is told of tasks that join it', async () => {
  const details = { command: [process.execPath, '-e', list] };
  const tasks = [
    { class: 'first', executor: 'sleep', details: { ms: 1_000 } },
    { class: 'gen', generator: true, details, parents: ['first'] },
  ];
  const { id } = await client.submitRun({ value: { tasks } });

  const subjects: string[] = [];
  for await (const { subject } of client.followEvents(id)) subjects.push(subject ?? '');

  const told = subjects.filter(Boolean);
  expect(told.slice(0, 2)).toEqual(['first', 'gen']);
  expect(told.slice(2).sort()).toEqual(['gen.a', 'gen.b']);
});

test('bad output fails its attempt, is told whole, and is tried again', async () => {
  const script = `console.log(process.env.RUNNEL_ATTEMPT === '1' ? '[{ "class": "a", "executor": "nop" }, { "clas": "b" }]' : '[]')`;
  const details = { command: [process.execPath, '-e', script] };
  const tasks = [
    {
      ...{ class: 'gen', generator: true, details },
      retries: { limit: 1, backoff: '1ms' },
    },
  ];

  const { id } = await client.submitRun({ value: { tasks } });

  await expectWhole(client, id, 1);
  const task = await client.getTask(id, 'gen');
  expect(task.generated).toEqual({ from: 256, count: 0, reused: 0 });
  expect(task.failures).toMatchObject([{ attempt: 1, reason: 'output-invalid' }]);
  const { message = '' } = task.failures[0] ?? {};
  expect(message).toContain('tasks[0].executor (line 1, column 18): no executor is named "nop"');
  expect(message).toContain('tasks[1]');
});

test('a task behind 100,000 generated tasks starts after all of them', async () => {
  const { id } = await client.submitRun({ value: specOf(join(shared.dir, 'journal'), 100_000) });

  await expectWhole(client, id, 100_002);
  const collect = await client.getTask(id, 'collect');
  const run = await client.getRun(id);
  expect(collect.state).toBe('succeeded');
  expect((await client.getTask(id, 'gen')).generated).toEqual({
    from: 256,
    count: 100_000,
    reused: 0,
  });
  expect(run.classes?.find((one) => one.class === 'gen.part')?.counts.succeeded).toBe(100_000);
}, 120_000);
