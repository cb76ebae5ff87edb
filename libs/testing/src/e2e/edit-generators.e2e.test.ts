import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { editPoints } from './failpoint-cases.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
const env = { RUNNEL_FUNCTIONS: functions };

/** More than one call of Redis takes. */
const count = 3_000;

interface Shape {
  readonly journal: string;
  readonly executor?: string;
  /** Of the task behind the generated ones. */
  readonly version?: number;
  readonly more?: readonly object[];
}

/** A generator and one task that waits for all that it generates. */
function tasksOf({ journal, executor = 'noop', version = 0, more = [] }: Shape): readonly object[] {
  const details = { name: 'generate', input: { journal, count, executor } };
  return [
    { class: 'gen', executor: 'function', generator: true, details },
    { class: 'collect', executor: 'noop', parents: ['gen'], version },
    ...more,
  ];
}

async function editTo(
  client: Client,
  id: string,
  tasks: readonly object[],
): ReturnType<Client['editRun']> {
  return await client.editRun(
    id,
    { value: { tasks } },
    { revision: await client.readRevision(id) },
  );
}

async function expectWhole(client: Client, id: string, tasks: number): Promise<void> {
  const run = await waitForEnd(client, id, 90_000);
  expect(run.state).toBe('succeeded');
  expect(run.taskCount).toBe(tasks);
  expect(run.counts.succeeded).toBe(tasks);
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
}

test('generated tasks that have ended are reused, whatever form the spec came in', async () => {
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const journal = join(stack.dir, 'journal');
  const first = tasksOf({ journal });
  const { id } = await client.submitRun({
    lines: ['{}', ...first.map((task) => JSON.stringify(task))],
  });
  await expectWhole(client, id, count + 2);
  expect(await client.getSpec(id)).toEqual({ tasks: first });

  const more = [
    { class: 'alarm', executor: 'noop', parents: ['gen'], runIf: 'any-failed' },
    { class: 'last', executor: 'noop', parents: ['gen'], runIf: 'all-done' },
  ];
  const dry = await client.previewEdit(id, { value: { tasks: tasksOf({ journal, more }) } });
  const answer = await editTo(client, id, tasksOf({ journal, version: 1, more }));

  expect(dry).toMatchObject({ reused: count + 2, kept: 0, rerun: 0, new: 2, removed: 0 });
  expect(answer).toMatchObject({ reused: count + 1, kept: 0, rerun: 1, new: 2, removed: 0 });
  expect(answer.classes.find((one) => one.class === 'gen.part')?.reused).toBe(count);
  const run = await waitForEnd(client, id);
  expect(run.counts).toMatchObject({ succeeded: count + 3, skipped: 1 });
  expect(readJournal(journal)).toEqual(['generate 1']);
  expect(await client.getTask(id, 'gen.p2999')).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect((await client.getTask(id, 'gen')).generated).toEqual({ from: 256, count, reused: 0 });
  expect(await client.getSpec(id, { revision: 1 })).toEqual({ tasks: first });
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});

test('a run whose generator works is edited, and its tasks join the new structure', async () => {
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const script = `setTimeout(() => console.log('[{"class":"a","executor":"noop"},{"class":"b","executor":"noop"}]'), 4000)`;
  const gen = {
    ...{ class: 'gen', executor: 'local', generator: true },
    details: { command: [process.execPath, '-e', script] },
  };
  const { id } = await client.submitRun({
    value: { tasks: [gen, { class: 'collect', executor: 'noop', parents: ['gen'] }] },
  });
  await waitFor(30_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.running === 1 ? { done: true } : { notYet: counts };
  });

  const answer = await editTo(client, id, [
    gen,
    { class: 'alarm', executor: 'noop', parents: ['gen'], runIf: 'any-failed' },
    { class: 'late', executor: 'noop', parents: ['gen'] },
  ]);

  expect(answer).toMatchObject({ reused: 0, kept: 1, rerun: 0, new: 2, removed: 1 });
  const run = await waitForEnd(client, id);
  expect(run.counts).toMatchObject({ succeeded: 4, skipped: 1 });
  expect(await client.getTask(id, 'gen')).toMatchObject({ attempt: 1, state: 'succeeded' });
  const { tasks } = await client.getTasks(id);
  const ends = new Map(tasks.map((task) => [task.id, task.state]));
  expect([...ends]).toEqual([
    ...[['gen', 'succeeded'] as const, ['alarm', 'skipped'] as const],
    ...[['late', 'succeeded'] as const, ['gen.a', 'succeeded'] as const],
    ['gen.b', 'succeeded'] as const,
  ]);
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});

test.each(editPoints)(
  'an api that dies at %s leaves a run with generated tasks as it was, or edited',
  async (point) => {
    await using stack = await Stack.start({ api: true, env });
    const armed = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const client = createClient({ url: stack.apiUrl });
    const journal = join(stack.dir, 'journal');
    const { id } = await client.submitRun({ value: { tasks: tasksOf({ journal }) } });
    await waitFor(30_000, async () => {
      const { counts } = await client.getRun(id);
      return counts.succeeded > count / 10 ? { done: true } : { notYet: counts };
    });

    const editing = editTo(client, id, tasksOf({ journal, version: 1 }));
    await expect(editing).rejects.toThrow();
    await armed.gone;
    await stack.add('api');

    await expectWhole(createClient({ url: stack.apiUrl }), id, count + 2);
    expect(readJournal(journal)).toEqual(['generate 1']);
  },
);
