import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { editPagePoints, editPoints, editThawPoints } from './failpoint-cases.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
const env = { RUNNEL_FUNCTIONS: functions };

/** What the journal calls the second task of a number. */
const secondOf = (n: number): number => 1_000 + n;

interface Layers {
  readonly width: number;
  readonly journal: string;
  /** Of the tasks whose number it divides; the others have version 0. */
  readonly version?: number;
  readonly ms?: number;
}

/** `first` tasks, a `second` for each, and `last` behind all; every tenth has another version after an edit. */
function layers({ width, journal, version = 0, ms = 0 }: Layers): {
  readonly tasks: readonly object[];
} {
  const numbers = Array.from({ length: width }, (_, n) => n);
  const act = (id: number): object => ({
    executor: 'function',
    details: { name: 'act', input: { journal, id, ms, attempts: ['succeeded'] } },
  });
  return {
    tasks: [
      ...numbers.map((n) => ({
        ...{ class: 'first', id: `f${n}`, ...act(n) },
        ...(n % 10 === 0 ? { version } : {}),
      })),
      ...numbers.map((n) => ({
        ...{ class: 'second', id: `s${n}`, parents: [{ id: `f${n}` }], ...act(secondOf(n)) },
      })),
      { class: 'last', parents: ['second'], executor: 'noop' },
    ],
  };
}

/** How often each task started. */
function startsOf(journal: string): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  for (const line of readJournal(journal)) {
    const id = Number(line.split(' ')[0]);
    starts.set(id, (starts.get(id) ?? 0) + 1);
  }
  return starts;
}

async function waitForCount(
  client: Client,
  id: string,
  state: 'running' | 'succeeded',
  least: number,
): Promise<void> {
  await waitFor(30_000, async () => {
    const { counts } = await client.getRun(id);
    return counts[state] >= least ? { done: true } : { notYet: counts };
  });
}

async function editTo(client: Client, id: string, value: object): ReturnType<Client['editRun']> {
  return await client.editRun(id, { value }, { revision: await client.readRevision(id) });
}

test('an ended run is edited: what did not change does not run again', async () => {
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const journal = join(stack.dir, 'journal');
  const { id } = await client.submitRun({ value: layers({ width: 50, journal }) });
  expect((await waitForEnd(client, id)).state).toBe('succeeded');

  const answer = await editTo(client, id, layers({ width: 50, journal, version: 1 }));

  expect(answer).toMatchObject({ reused: 90, kept: 0, rerun: 11, new: 0, removed: 0, revision: 2 });
  expect((await waitForEnd(client, id)).counts.succeeded).toBe(101);
  const starts = startsOf(journal);
  for (let n = 0; n < 50; n++) {
    const times = n % 10 === 0 ? 2 : 1;
    expect([starts.get(n), starts.get(secondOf(n))]).toEqual([times, times]);
  }
  expect(await client.getTask(id, 'f10')).toMatchObject({ state: 'succeeded', attempt: 2 });
  expect(await client.getTask(id, 'f11')).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});

test('a run is edited while workers work on it, three times', async () => {
  await using stack = await Stack.start({ api: true, workers: 2, env });
  const client = createClient({ url: stack.apiUrl });
  const journal = join(stack.dir, 'journal');
  const width = 200;
  const { id } = await client.submitRun({ value: layers({ width, journal, ms: 5 }) });

  for (let version = 1; version <= 3; version++) {
    await waitForCount(client, id, 'succeeded', 40 * version);
    await editTo(client, id, layers({ width, journal, version, ms: 5 }));
  }

  const run = await waitForEnd(client, id, 90_000);
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(2 * width + 1);
  const starts = startsOf(journal);
  for (let n = 0; n < width; n++) {
    if (n % 10 !== 0) expect([n, starts.get(n), starts.get(secondOf(n))]).toEqual([n, 1, 1]);
  }
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});

test('a process of a task that is changed or removed is ended', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '4' } });
  const client = createClient({ url: stack.apiUrl });
  const sleep = (seconds: number): object => ({
    executor: 'local',
    details: { command: ['sleep', String(seconds)] },
  });
  const before = {
    tasks: [
      { class: 'changed', ...sleep(600) },
      { class: 'gone', ...sleep(601) },
      { class: 'kept', ...sleep(8) },
    ],
  };
  const { id } = await client.submitRun({ value: before });
  await waitForCount(client, id, 'running', 3);

  const after = {
    tasks: [
      { class: 'changed', ...sleep(0.1) },
      { class: 'kept', ...sleep(8) },
    ],
  };
  const answer = await editTo(client, id, after);

  expect(answer).toMatchObject({ reused: 0, kept: 1, rerun: 1, removed: 1 });
  const run = await waitForEnd(client, id, 30_000);
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(2);
  expect(await client.getTask(id, 'kept')).toMatchObject({ attempt: 1 });
  expect(await client.getTask(id, 'changed')).toMatchObject({ attempt: 2 });
});

test.each([...editPoints, ...editPagePoints])(
  'an api that dies at %s leaves the run as it was, or edited',
  async (point) => {
    await using stack = await Stack.start({ api: true, env });
    const armed = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const client = createClient({ url: stack.apiUrl });
    const journal = join(stack.dir, 'journal');
    const width = 100;
    const { id } = await client.submitRun({ value: layers({ width, journal, ms: 20 }) });
    await waitForCount(client, id, 'succeeded', 20);

    await expect(
      editTo(client, id, layers({ width, journal, version: 1, ms: 20 })),
    ).rejects.toThrow();
    await armed.gone;
    await stack.add('api');
    const again = createClient({ url: stack.apiUrl });

    const run = await waitForEnd(again, id, 60_000);
    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(2 * width + 1);
    const isEdited = (await again.readRevision(id)) === 2;
    expect(isEdited).toBe(point === 'edit.after-swap' || point === 'edit.after-page');
    const spec = JSON.stringify(await again.getSpec(id));
    expect(spec.includes('"version":1')).toBe(isEdited);
    const starts = startsOf(journal);
    for (let n = 0; n < width; n++) if (n % 10 !== 0) expect(starts.get(n)).toBe(1);
    expect((await again.askDoctor({ run: id })).findings).toEqual([]);
  },
);

test.each(editThawPoints)(
  'a listener that dies at %s, after the api in the freeze: another thaws the run',
  async (point) => {
    await using stack = await Stack.start({ api: true, listeners: 0, env });
    const listener = await stack.add('listener', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const armed = await stack.add('api', { RUNNEL_FAILPOINTS: 'edit.before-swap=crash' });
    const client = createClient({ url: stack.apiUrl });
    const journal = join(stack.dir, 'journal');
    const width = 100;
    const { id } = await client.submitRun({ value: layers({ width, journal, ms: 20 }) });
    await waitForCount(client, id, 'succeeded', 20);

    await expect(editTo(client, id, layers({ width, journal, version: 1 }))).rejects.toThrow();
    await Promise.all([armed.gone, listener.gone]);
    await Promise.all([stack.add('api'), stack.add('listener')]);

    const run = await waitForEnd(createClient({ url: stack.apiUrl }), id, 60_000);
    expect(run.counts.succeeded).toBe(2 * width + 1);
  },
);
