import { randomBytes } from 'node:crypto';
import { type Client, createClient } from '@runnel/client';
import { cancelPage, connectRedis, readRun, startCancel } from '@runnel/store';
import { expect, test } from 'vitest';
import { findProcesses } from '../processes.ts';
import { type App, Stack } from '../stack.ts';
import { partCancelPagePoints, partCancelPoints, partPausePoints } from './failpoint-cases.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

/** Commands that sleep, to be told apart from all others of the machine. */
function sleepers(count: number): { readonly mark: string; readonly spec: { tasks: object[] } } {
  const mark = `6${randomBytes(3).readUIntBE(0, 3)}`;
  const long = {
    ...{ class: 'long', parameters: { N: { from: 1, to: count } } },
    details: { command: ['sleep', mark] },
  };
  const after = { class: 'after', executor: 'noop', parents: ['long'] };
  const other = { class: 'other', executor: 'sleep', details: { ms: 10 } };
  const last = { class: 'last', executor: 'noop', parents: ['other'] };
  return { mark: `sleep ${mark}`, spec: { tasks: [long, after, other, last] } };
}

const clientOf = (stack: Stack): Client => createClient({ url: stack.apiUrl, by: 'ann@host' });

async function waitForProcesses(text: string, count: number): Promise<void> {
  await waitFor(60_000, async () => {
    const found = findProcesses(text).length;
    return found === count ? { done: true } : { notYet: found };
  });
}

test('a cancelled class loses its processes, and the others run on', async () => {
  await using stack = await Stack.start({
    ...{ api: true, workers: 2 },
    env: { RUNNEL_CONCURRENCY: '2', RUNNEL_KILL_GRACE: '500ms' },
  });
  const client = clientOf(stack);
  const { mark, spec } = sleepers(6);
  const { id } = await client.submitRun({ value: spec });
  await waitForProcesses(mark, 4);

  const answer = await client.cancelRun(id, { classes: ['long'] });
  await waitForProcesses(mark, 0);
  const run = await waitForEnd(client, id);
  const why = await client.why(id, 'long:N=1');

  expect(answer).toMatchObject({ isNew: true, selected: 6, running: 4 });
  expect(run).toMatchObject({
    state: 'cancelled',
    counts: { cancelled: 6, skipped: 1, succeeded: 2 },
  });
  expect(why.summary).toContain('it was cancelled by ann@host at ');
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
});

test('of a delivery of many tasks just the cancelled one ends', async () => {
  await using stack = await Stack.start({ api: true });
  const client = clientOf(stack);
  const tasks = [
    {
      class: 'nap',
      executor: 'sleep',
      parameters: { N: { from: 1, to: 8 } },
      details: { ms: 3_000 },
    },
  ];
  const { id } = await client.submitRun({ value: { tasks } });
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.running === 8 ? { done: true } : { notYet: counts };
  });

  await client.cancelRun(id, { tasks: ['nap:N=3'] });
  await waitFor(2_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.cancelled === 1 && counts.running === 7 ? { done: true } : { notYet: counts };
  });
  const { counts } = await waitForEnd(client, id);

  expect(counts).toMatchObject({ cancelled: 1, succeeded: 7 });
});

test('a worker that was not told finds by itself that a task was cancelled', async () => {
  await using stack = await Stack.start({ api: true });
  const client = clientOf(stack);
  const { mark, spec } = sleepers(1);
  const { id } = await client.submitRun({ value: spec });
  await waitForProcesses(mark, 1);
  const redis = connectRedis(stack.redis.url, () => undefined);

  const { facts } = await readRun(redis, 'runnel', id);
  await startCancel(redis, facts.handle, {
    ...{ token: 't', createdAt: facts.createdAt, now: Date.now(), ids: Uint32Array.of(0) },
    ...{ told: '{"by":null,"classes":[],"selected":1,"running":1}' },
    record: { at: 1, by: null, spans: null },
  });
  while ((await cancelPage(redis, facts.handle, Date.now()))?.phase !== 0);
  await waitForProcesses(mark, 0);
  redis.disconnect();

  expect(await waitForEnd(client, id)).toMatchObject({ counts: { cancelled: 1, skipped: 1 } });
});

test('a paused class lets the others of its queue pass, says so, and goes on', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '1' } });
  const client = clientOf(stack);
  const command = ['sleep', '0.2'];
  const parameters = { N: { from: 1, to: 5 } };
  const tasks = [
    { class: 'first', parameters, details: { command } },
    { class: 'second', parameters, details: { command } },
    { class: 'third', parents: ['first'], executor: 'noop' },
  ];
  const { id } = await client.submitRun({ value: { tasks } });

  await client.pauseRun(id, { classes: ['first', 'third'] });
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    const isDone = counts.running + counts.queued === 0 && counts.succeeded >= 5;
    return isDone ? { done: true } : { notYet: counts };
  });
  const [why, run, doctor] = await Promise.all([
    client.why(id),
    client.getRun(id),
    client.askDoctor({ run: id }),
  ]);
  await client.resumeRun(id, { classes: ['first', 'third'] });
  const ended = await waitForEnd(client, id);

  expect(why.reasons[0]?.code).toBe('paused');
  expect(why.summary).toContain('class first, class third are paused by ann@host');
  expect(run.pausedParts?.classes.map((one) => one.class)).toEqual(['first', 'third']);
  expect(run.state).toBe('running');
  expect(doctor.findings).toEqual([]);
  expect(ended).toMatchObject({ state: 'succeeded', counts: { succeeded: 11 } });
});

/** A run whose tasks partly run and partly wait, and what became of it after a cancel of a class. */
async function cancelWithCrash(app: App, point: string): Promise<void> {
  await using stack = await Stack.start({
    api: app !== 'api',
    listeners: app === 'listener' ? 0 : 1,
  });
  const process = await stack.add(app, { RUNNEL_FAILPOINTS: `${point}=crash` });
  const client = clientOf(stack);
  // More than the api goes through itself.
  const tasks = [
    { class: 'long', executor: 'sleep', details: { ms: 60_000 } },
    {
      class: 'wait',
      executor: 'noop',
      parents: ['long'],
      parameters: { N: { from: 1, to: 10_000 } },
    },
    { class: 'other', executor: 'noop' },
  ];
  const { id } = await client.submitRun({ value: { tasks } });
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.running === 1 ? { done: true } : { notYet: counts };
  });

  const change = { classes: ['long', 'wait'] };
  await client.cancelRun(id, change).catch(() => undefined);
  await process.gone;
  await stack.add(app);
  const again = clientOf(stack);
  if (point === 'part-cancel.before-begin') await again.cancelRun(id, change);

  expect(await waitForEnd(again, id)).toMatchObject({
    state: 'cancelled',
    counts: { cancelled: 10_001, succeeded: 1 },
  });
}

test.concurrent.each([...partCancelPoints, ...partCancelPagePoints])(
  'a crash of the api at %s, while it cancels a class: the listener goes on',
  (point) => cancelWithCrash('api', point),
  180_000,
);

test.concurrent.each(partCancelPagePoints)(
  'a crash of a listener at %s, while it goes through the pages of a cancel',
  (point) => cancelWithCrash('listener', point),
  180_000,
);

test.concurrent.each(partPausePoints)(
  'a crash of the api at %s, while it pauses a class: asked again it is paused',
  async (point) => {
    await using stack = await Stack.start({ workers: 0 });
    const process = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const client = clientOf(stack);
    const tasks = [
      { class: 'first', executor: 'noop' },
      { class: 'second', executor: 'noop', parents: ['first'] },
    ];
    const { id } = await client.submitRun({ value: { tasks } });

    await client.pauseRun(id, { classes: ['second'] }).catch(() => undefined);
    await process.gone;
    await stack.add('api');
    const again = clientOf(stack);
    const { isNew } = await again.pauseRun(id, { classes: ['second'] });
    await stack.add('worker');
    await waitFor(60_000, async () => {
      const { counts } = await again.getRun(id);
      return counts.succeeded === 1 && counts.ready === 1 ? { done: true } : { notYet: counts };
    });
    await again.resumeRun(id, { classes: ['second'] });

    expect(isNew).toBe(point === 'part-pause.before');
    expect((await waitForEnd(again, id)).state).toBe('succeeded');
  },
  180_000,
);
