import { type Client, createClient } from '@runnel/client';
import { connectRedis, type RedisClient, runHandle } from '@runnel/store';
import { expect, test } from 'vitest';
import { type App, type AppProcess, Stack } from '../stack.ts';
import {
  buryPoints,
  cancelPoints,
  haltPoints,
  lostPoints,
  pausePoints,
  removePoints,
  resumePoints,
  returnPoints,
  startPoints,
} from './failpoint-cases.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

const noop = { tasks: [{ class: 'a', executor: 'noop' }] };

/** A task that sleeps, in as many instances as are wanted. */
function sleepers(count: number, seconds: number): unknown {
  return {
    parameters: { N: { from: 1, to: count } },
    tasks: [
      {
        class: 'long',
        executor: 'sleep',
        parameters: ['N'],
        details: { ms: seconds * 1_000 },
      },
    ],
  };
}

/** A stack in which the first process of one app is armed; the others are as usual. */
async function start(
  app: App,
  armed: string,
  others: { readonly listeners?: number; readonly workers?: number },
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly stack: Stack; readonly client: Client; readonly process: AppProcess }> {
  const stack = await Stack.start({ api: app !== 'api', ...others, env });
  const process = await stack.add(app, { RUNNEL_FAILPOINTS: armed });
  return { stack, client: createClient({ url: stack.apiUrl }), process };
}

function clientOf(stack: Stack): Client {
  return createClient({ url: stack.apiUrl });
}

function openRedis(stack: Stack): RedisClient & AsyncDisposable {
  const redis = connectRedis(stack.redis.url, () => undefined);
  return Object.assign(redis, { [Symbol.asyncDispose]: async () => redis.disconnect() });
}

async function waitForCount(
  client: Client,
  id: string,
  state: 'queued' | 'running',
): Promise<void> {
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    return counts[state] > 0 ? { done: true } : { notYet: counts };
  });
}

test.concurrent.each(returnPoints)(
  'a crash of a worker at %s, while it hands back: its task runs elsewhere',
  async (point) => {
    const env = { RUNNEL_GRACE: '200ms' };
    const none = { listeners: 1, workers: 0 };
    const { stack, client, process } = await start('worker', `${point}=crash`, none, env);
    await using _ = stack;
    const { id } = await client.submitRun({ value: sleepers(1, 3) });
    await waitForCount(client, id, 'running');

    await process.kill('SIGTERM');
    await stack.add('worker');
    const run = await waitForEnd(client, id);

    expect(process.isGone()).toBe(true);
    expect(run.state).toBe('succeeded');
  },
);

test.concurrent.each([
  ...lostPoints.map((point) => `${point}=crash`),
  'lost.after-reissue=lose-reply',
])('a listener with %s: a delivery that BullMQ has lost starts again', async (armed) => {
  const none = { listeners: 0, workers: 0 };
  const { stack, client, process } = await start('listener', armed, none);
  await using _ = stack;
  await using redis = openRedis(stack);
  const { id } = await client.submitRun({ value: noop });
  await waitForCount(client, id, 'queued');
  const { names } = runHandle('runnel', id);
  await waitFor(60_000, async () => {
    const count = await redis.zcard(names.outbox);
    return count === 0 ? { done: true } : { notYet: count };
  });
  for (const key of await redis.keys('runnel:{q.default}:*')) await redis.del(key);

  if (armed.endsWith('crash')) {
    await process.gone;
    await stack.add('listener');
  }
  await stack.add('worker');
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('succeeded');
});

test.concurrent.each([
  ...cancelPoints.map((point) => `${point}=crash`),
  'cancel.after-first-page=lose-reply',
])('an api with %s: the run is cancelled, or can be', async (armed) => {
  const { stack, client, process } = await start('api', armed, { listeners: 1, workers: 1 });
  await using _ = stack;
  const { id } = await client.submitRun({ value: sleepers(300, 60) });
  await waitForCount(client, id, 'running');

  await expect(client.cancelRun(id)).rejects.toThrow();
  if (armed.endsWith('crash')) {
    await process.gone;
    await stack.add('api');
  }
  const again = clientOf(stack);
  if (armed.startsWith('cancel.before')) await again.cancelRun(id);
  const run = await waitForEnd(again, id);

  expect(run.state).toBe('cancelled');
  expect(run.counts.cancelled).toBe(300);
});

test.concurrent.each([
  ...[...pausePoints, ...resumePoints].map((point) => `${point}=crash`),
  'pause.after-flag=lose-reply',
  'resume.after=lose-reply',
])('an api with %s: asked again the run stands still, and goes on', async (armed) => {
  const { stack, client, process } = await start('api', armed, { listeners: 1, workers: 1 });
  await using _ = stack;
  // More than ends while an api comes back.
  const value = {
    parallelism: 2,
    parameters: { N: { from: 1, to: 1_000 } },
    tasks: [{ class: 'a', executor: 'sleep', parameters: ['N'], details: { ms: 500 } }],
  };
  const { id } = await client.submitRun({ value });
  await waitForCount(client, id, 'running');
  const [dies, lives] = armed.startsWith('pause') ? ['pause', 'resume'] : ['resume', 'pause'];
  if (lives === 'pause') await client.pauseRun(id);

  const asked = dies === 'pause' ? client.pauseRun(id) : client.resumeRun(id);
  await expect(asked).rejects.toThrow();
  if (armed.endsWith('crash')) {
    await process.gone;
    await stack.add('api');
  }
  const again = clientOf(stack);
  if (dies === 'pause') {
    await again.pauseRun(id);
    await waitFor(20_000, async () => {
      const { counts } = await again.getRun(id);
      return counts.running === 0 ? { done: true } : { notYet: counts };
    });
    expect((await again.getRun(id)).state).toBe('paused');
  }
  const { counts } = await again.getRun(id);
  await again.resumeRun(id);

  await waitFor(60_000, async () => {
    const { succeeded } = (await again.getRun(id)).counts;
    return succeeded > counts.succeeded + 2 ? { done: true } : { notYet: succeeded };
  });
  expect((await again.askDoctor({ run: id })).findings).toEqual([]);
});

test.concurrent.each([
  ...haltPoints.map((point) => `${point}=crash`),
  'halt.after-page=lose-reply',
])('a listener with %s, in the middle of a cancel: another goes on with it', async (armed) => {
  const none = { listeners: 0, workers: 0 };
  const { stack, client, process } = await start('listener', armed, none);
  await using _ = stack;
  const { id } = await client.submitRun({ value: sleepers(17_000, 60) });
  await waitForCount(client, id, 'queued');

  await client.cancelRun(id);
  if (armed.endsWith('crash')) {
    await process.gone;
    await stack.add('listener');
  }
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('cancelled');
  expect(run.counts.cancelled).toBe(17_000);
});

test.concurrent.each([...startPoints.map((point) => `${point}=crash`), 'start.after=lose-reply'])(
  'an api with %s: a run that was only created is started by asking again',
  async (armed) => {
    const { stack, client, process } = await start('api', armed, {});
    await using _ = stack;
    const { id } = await client.submitRun({ value: noop }, { createdOnly: true });

    await expect(client.startRun(id)).rejects.toThrow();
    if (armed.endsWith('crash')) {
      await process.gone;
      await stack.add('api');
    }
    const again = clientOf(stack);
    await again.startRun(id);

    expect((await waitForEnd(again, id)).state).toBe('succeeded');
  },
);

test.concurrent.each([...removePoints.map((point) => `${point}=crash`), 'remove.after=lose-reply'])(
  'an api with %s: of a run that is deleted nothing stays behind',
  async (armed) => {
    const { stack, client, process } = await start('api', armed, {});
    await using _ = stack;
    await using redis = openRedis(stack);
    const { id } = await client.submitRun({ value: noop });
    await waitForEnd(client, id);

    await expect(client.deleteRun(id)).rejects.toThrow();
    if (armed.endsWith('crash')) {
      await process.gone;
      await stack.add('api');
    }
    if (armed.startsWith('remove.before')) await clientOf(stack).deleteRun(id);

    await waitFor(40_000, async () => {
      const keys = await redis.keys(`*:run:${id}:*`);
      const ended = await redis.zscore(runHandle('runnel', id).names.ended, id);
      return keys.length === 0 && ended === null ? { done: true } : { notYet: { keys, ended } };
    });
    expect((await clientOf(stack).listRuns()).runs).toEqual([]);
  },
);

test.concurrent.each(buryPoints)(
  'a crash of a listener at %s: what can not be settled is put aside, and the run goes on',
  async (point) => {
    const none = { listeners: 0, workers: 1 };
    const { stack, client, process } = await start('listener', `${point}=crash`, none);
    await using _ = stack;
    await using redis = openRedis(stack);
    const value = {
      tasks: [{ class: 'a', executor: 'sleep', retries: 1, details: { ms: 8_000 } }],
    };
    const { id } = await client.submitRun({ value });
    await waitForCount(client, id, 'running');
    const { names } = runHandle('runnel', id);
    await redis.xadd(names.outcomes, '*', ...unsettleable(id));

    await process.gone;
    await stack.add('listener');
    const run = await waitForEnd(client, id);

    expect(run.state).toBe('succeeded');
    await waitFor(60_000, async () => {
      const waiting = await redis.xlen(names.outcomes);
      return waiting === 0 ? { done: true } : { notYet: waiting };
    });
    expect(await redis.xlen(names.deadLetters)).toBeGreaterThanOrEqual(1);
    const { findings } = await clientOf(stack).askDoctor();
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(['dead-letter']));
  },
);

/** A failure whose record is no JSON: a listener that wants to retry it can't read it. */
function unsettleable(id: string): readonly (string | Buffer)[] {
  const outcome = Buffer.alloc(16);
  outcome.writeUInt8(1, 2);
  outcome.writeUInt8(3, 3);
  const text = Buffer.from('nonsense');
  const extra = Buffer.alloc(7);
  extra.writeUInt8(2, 2);
  extra.writeUInt32LE(text.length, 3);
  const body = ['p', outcome, 'x', Buffer.concat([extra, text])] as const;
  return ['r', id, 'c', '1', 't', Buffer.alloc(8, 1), 'g', '0', ...body];
}
