import { ApiError, type Client, createClient } from '@runnel/client';
import { connectRedis, runHandle } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { archivePoints, takeBackPoints } from './failpoint-cases.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

/** Enough for more than one part of an archive. */
const wide = {
  name: 'wide',
  tags: { kind: 'archived' },
  parameters: { N: { from: 1, to: 25_000 } },
  defaults: { executor: 'noop' },
  tasks: [
    { class: 'work', parameters: ['N'], details: { output: { n: '{{N}}' } } },
    { class: 'last', parents: ['work'] },
  ],
};
const small = { defaults: { executor: 'noop' }, tasks: [{ class: 'work' }, { class: 'last' }] };
const lastAgain = { classes: ['last'], states: ['succeeded'] } as const;
const patienceMs = 300_000;

async function waitUntilArchived(client: Client, id: string): Promise<void> {
  await waitFor(90_000, async () => {
    const { isArchived, state } = await client.getRun(id);
    return isArchived ? { done: true } : { notYet: state };
  });
}

/** What a reader sees of a run. */
async function look(client: Client, id: string): Promise<unknown> {
  const { isArchived: _, ...run } = await client.getRun(id);
  return {
    run,
    task: await client.getTask(id, 'work:N=24999'),
    tasks: await client.getTasks(id, { limit: 1000 }),
    spec: await client.getSpec(id),
  };
}

test(
  'listeners crash at every point of a move: nothing is lost or doubled',
  async () => {
    await using stack = await Stack.start({ api: true, listeners: 1, workers: 1 });
    const client = createClient({ url: stack.apiUrl });
    const submitted = await Promise.all([1, 2, 3].map(() => client.submitRun({ value: wide })));
    const ids = submitted.map(({ id }) => id);
    for (const id of ids) await waitForEnd(client, id, 120_000);
    const before = await Promise.all(ids.map((id) => look(client, id)));
    await Promise.all(stack.of('listener').map((one) => one.kill('SIGTERM')));

    const env = { RUNNEL_KEEP: '0' };
    for (const point of archivePoints) {
      const armed = await stack.add('listener', { ...env, RUNNEL_FAILPOINTS: `${point}=crash` });
      await armed.gone;
    }
    await stack.add('listener', env);
    for (const id of ids) await waitUntilArchived(client, id);

    const { runs } = await client.listRuns({ tags: ['kind:archived'] });
    expect(runs.map((run) => run.id).sort()).toEqual([...ids].sort());
    expect(await Promise.all(ids.map((id) => look(client, id)))).toEqual(before);
  },
  patienceMs,
);

test(
  'apis crash at every point at which they bring a run back: another one brings it, and it is retried',
  async () => {
    const env = { RUNNEL_KEEP: '0' };
    await using stack = await Stack.start({ api: true, listeners: 1, workers: 1, env });
    const client = createClient({ url: stack.apiUrl });
    const ids = new Map<string, string>();
    for (const point of takeBackPoints) {
      ids.set(point, (await client.submitRun({ value: small })).id);
    }
    for (const id of ids.values()) await waitUntilArchived(client, id);

    const asked: string[] = [];
    for (const [point, id] of ids) {
      const armed = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
      const doomed = createClient({ url: stack.apiUrl });
      const answer = await Promise.allSettled([doomed.retryRun(id, lastAgain)]);
      asked.push(...answer.map(({ status }) => status));
      await armed.gone;
    }
    for (const id of ids.values()) {
      // What broke off is removed a minute later, and told until then.
      await waitFor(120_000, async () => {
        try {
          return { done: await client.retryRun(id, lastAgain) };
        } catch (error: unknown) {
          if (error instanceof ApiError && error.code === 'IN_FLIGHT') return { notYet: id };
          throw error;
        }
      });
    }
    const runs = await Promise.all([...ids.values()].map((id) => waitForEnd(client, id)));

    expect(asked).toEqual(takeBackPoints.map(() => 'rejected'));
    expect(runs.map(({ state, counts }) => [state, counts.succeeded])).toEqual(
      takeBackPoints.map(() => ['succeeded', 2]),
    );
    const tasks = await Promise.all([...ids.values()].map((id) => client.getTask(id, 'last')));
    expect(tasks.map(({ attempt }) => attempt)).toEqual(takeBackPoints.map(() => 2));
  },
  patienceMs,
);

test(
  'a run is moved, read, retried and moved again by replicas',
  async () => {
    const env = { RUNNEL_KEEP: '0' };
    await using stack = await Stack.start({ api: true, listeners: 2, workers: 1, env });
    const client = createClient({ url: stack.apiUrl });
    const redis = connectRedis(stack.redis.url, () => undefined);
    const { id } = await client.submitRun({ value: wide });
    await waitUntilArchived(client, id);
    const keysOf = () => redis.keys(`${runHandle('runnel', id).names.meta.slice(0, -4)}*`);

    const away = await keysOf();
    const { tasks } = await client.getTasks(id, { limit: 5 });
    const here = await keysOf();
    const { reset } = await client.retryRun(id, lastAgain);
    await waitForEnd(client, id);
    await waitUntilArchived(client, id);
    const again = await keysOf();

    expect(away).toEqual([]);
    expect(tasks.map((task) => task.state)).toEqual(Array(5).fill('succeeded'));
    expect(here.length).toBeGreaterThan(10);
    expect(reset).toBe(1);
    expect(again).toEqual([]);
    expect((await client.getTask(id, 'last')).attempt).toBe(2);
    redis.disconnect();
  },
  patienceMs,
);
