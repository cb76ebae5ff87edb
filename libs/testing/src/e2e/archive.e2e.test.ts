import { type Client, createClient } from '@runnel/client';
import { connectRedis, runHandle } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { archivePoints, takeBackPoints } from './failpoint-cases.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

/** Enough for more than one part of an archive. */
const wide = {
  name: 'wide',
  tags: { kind: 'archived' },
  parameters: { N: { from: 1, to: 70_000 } },
  defaults: { executor: 'noop' },
  tasks: [
    { class: 'work', parameters: ['N'], details: { output: { n: '{{N}}' } } },
    { class: 'last', parents: ['work'] },
  ],
};

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
    task: await client.getTask(id, 'work:N=69999'),
    tasks: await client.getTasks(id, { limit: 1000 }),
    spec: await client.getSpec(id),
  };
}

test.concurrent.each(archivePoints)(
  'a crash of a listener at %s, while it moves a run: nothing is lost or doubled',
  async (point) => {
    await using stack = await Stack.start({ api: true, listeners: 1, workers: 1 });
    const client = createClient({ url: stack.apiUrl });
    const { id } = await client.submitRun({ value: wide });
    await waitForEnd(client, id);
    const before = await look(client, id);
    await Promise.all(stack.of('listener').map((one) => one.kill('SIGTERM')));

    const env = { RUNNEL_KEEP: '0' };
    const armed = await stack.add('listener', { ...env, RUNNEL_FAILPOINTS: `${point}=crash` });
    await armed.gone;
    await stack.add('listener', env);
    await waitUntilArchived(client, id);

    const listed = (await client.listRuns()).runs.filter((run) => run.id === id);
    expect(listed).toHaveLength(1);
    expect(await look(client, id)).toEqual(before);
  },
);

test.concurrent.each(takeBackPoints)(
  'a crash of an api at %s, while it brings a run back: another one brings it',
  async (point) => {
    const env = { RUNNEL_KEEP: '0' };
    await using stack = await Stack.start({ api: true, listeners: 1, workers: 1, env });
    const { id } = await createClient({ url: stack.apiUrl }).submitRun({ value: wide });
    await waitUntilArchived(createClient({ url: stack.apiUrl }), id);
    const other = createClient({ url: stack.apiUrl });
    const armed = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const client = createClient({ url: stack.apiUrl });

    const asked = await Promise.allSettled([
      client.retryRun(id, { classes: ['last'], states: ['succeeded'] }),
    ]);
    await armed.gone;
    // What broke off is removed a minute later.
    await waitFor(110_000, async () => {
      const page = await other.getTasks(id, { limit: 1 }).catch((error: unknown) => error);
      return page instanceof Error ? { notYet: page.message } : { done: true };
    });
    await other.retryRun(id, { classes: ['last'], states: ['succeeded'] });
    const run = await waitForEnd(other, id);

    expect(asked.map(({ status }) => status)).toEqual(['rejected']);
    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(70_001);
  },
);

test('a run is moved, read, retried and moved again, and Redis is as before', async () => {
  const env = { RUNNEL_KEEP: '0' };
  await using stack = await Stack.start({ api: true, listeners: 2, workers: 1, env });
  const client = createClient({ url: stack.apiUrl });
  const redis = connectRedis(stack.redis.url, () => undefined);
  const { id } = await client.submitRun({ value: wide });
  await waitUntilArchived(client, id);
  const keys = () => redis.keys(`${runHandle('runnel', id).names.meta.slice(0, -4)}*`);
  const away = await keys();

  const before = await look(client, id);
  const here = await keys();
  const { reset } = await client.retryRun(id, { classes: ['last'], states: ['succeeded'] });
  await waitForEnd(client, id);
  await waitUntilArchived(client, id);

  const last = await client.getTask(id, 'last');
  expect(away).toEqual([]);
  expect(here.length).toBeGreaterThan(10);
  expect(reset).toBe(1);
  expect(last.attempt).toBe(2);
  expect(await keys()).not.toEqual([]);
  expect(before).toBeTruthy();
  redis.disconnect();
});
