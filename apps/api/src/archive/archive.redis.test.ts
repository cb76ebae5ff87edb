import { type Archive, openArchive } from '@runnel/archive';
import { moveRun } from '@runnel/engine';
import { connectRedis, type RedisClient, readMovable, runHandle, shardOf } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { pair, post, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;
let archive: Archive;
let redis: RedisClient;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
  redis = connectRedis(inject('redisUrl'), () => undefined);
  const opened = await openArchive({ ...api.settings, onError: () => undefined });
  if (opened === null) throw new Error('there is no archive');
  archive = opened;
});
afterAll(async () => {
  redis.disconnect();
  await archive[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

async function move(id: string): Promise<void> {
  const { namespace } = api;
  const until = Number.MAX_SAFE_INTEGER;
  expect(await moveRun({ redis, namespace, archive, now: Date.now }, id, until)).toBe('moved');
}

/** A run that was cancelled before it began, and lies in the archive. */
async function archived(value: unknown = pair): Promise<string> {
  const { id } = await api.client.submitRun({ value });
  await api.client.cancelRun(id);
  await move(id);
  return id;
}

const keysOf = async (id: string): Promise<readonly string[]> =>
  (await api.keys()).filter((key) => key.includes(id));

describe('a run in the archive', () => {
  test('is shown and listed as it was, without being brought back', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);
    const before = await api.client.getRun(id);
    await move(id);

    const after = await api.client.getRun(id);
    const { runs } = await api.client.listRuns({ state: 'cancelled' });

    expect(after).toEqual({ ...before, isArchived: true });
    expect(after.classes).toHaveLength(2);
    expect(runs.find((run) => run.id === id)).toMatchObject({ isArchived: true, name: 'pair' });
    expect(await keysOf(id)).toEqual([]);
  });

  test('is read in every way that a run in Redis is', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);
    const read = async () => ({
      spec: await api.client.getSpec(id),
      tasks: await api.client.getTasks(id),
      task: await api.client.getTask(id, 'second'),
      why: await api.client.why(id),
      whyTask: await api.client.why(id, 'second'),
      log: await api.client.getLog(id, 'first'),
      events: await Array.fromAsync(api.client.followEvents(id)),
      dryRun: await api.client.retryRun(id, { dryRun: true }),
      doctor: (await api.client.askDoctor({ run: id })).findings,
      statistics: await api.client.getStatistics(id),
      estimate: await api.client.getEstimate(id),
      revision: await api.client.readRevision(id),
      webhooks: await api.client.getWebhooks(id),
    });
    const before = await read();
    await move(id);

    const after = await read();

    expect(after).toEqual(before);
    expect((await api.client.getRun(id)).isArchived).toBe(true);
    expect((await api.client.listRuns()).runs.filter((run) => run.id === id)).toHaveLength(1);
  });

  test('that two ask for at once is brought once', async () => {
    await using other = await startTestApi(inject('redisUrl'), {
      env: { RUNNEL_NAMESPACE: api.namespace, RUNNEL_DATA: api.settings.dataDir },
    });
    const id = await archived();

    const pages = await Promise.all(
      [api, other, api, other].map(({ client }) => client.getTasks(id)),
    );

    expect(pages.map((page) => page.tasks.length)).toEqual([2, 2, 2, 2]);
  });

  test('is retried: it is live again, listed once, and moved anew when it ends', async () => {
    const id = await archived({ ...pair, name: 'again' });

    const { state, reset, isNew } = await api.client.retryRun(id);
    const live = await api.client.getRun(id);
    const listed = (await api.client.listRuns()).runs.filter((run) => run.id === id);
    const cancelled = await api.client.listRuns({ state: 'cancelled' });
    await api.client.cancelRun(id);
    // Nobody pages here but this test: the retry ends with the run.
    const ended = await api.client.getRun(id);
    await move(id);

    expect({ state, reset, isNew }).toEqual({ state: 'running', reset: 2, isNew: true });
    expect([live.isArchived, live.state]).toEqual([false, 'running']);
    expect(listed.map((run) => run.state)).toEqual(['running']);
    expect(cancelled.runs.filter((run) => run.id === id)).toEqual([]);
    expect(await api.client.getRun(id)).toEqual({ ...ended, isArchived: true });
  });

  test('is edited: it is live again, and its revisions outlive another move', async () => {
    const id = await archived();
    const edited = { ...pair, name: 'edited' };

    const preview = await api.client.previewEdit(id, { value: edited });
    const isStillAway = (await api.client.getRun(id)).isArchived;
    const { state, revision } = await api.client.editRun(id, { value: edited }, { revision: 1 });
    const now = await api.client.getRun(id);
    await api.client.cancelRun(id);
    await move(id);

    expect([preview.revision, isStillAway]).toEqual([1, true]);
    expect([state, revision, now.isArchived]).toEqual(['running', 2, false]);
    expect(await keysOf(id)).toEqual([]);
    expect(await api.client.readRevision(id)).toBe(2);
    expect(await api.client.getSpec(id, { revision: 1 })).toMatchObject({ name: 'pair' });
    expect(await api.client.getSpec(id)).toMatchObject({ name: 'edited' });
  });

  test('refuses what can only be done with a run that goes on, as in Redis', async () => {
    const id = await archived();

    const cancel = await api.client.cancelRun(id);
    const pause = await api.client.pauseRun(id).catch((error: unknown) => error);

    expect(cancel).toMatchObject({ isNew: false, state: 'cancelled' });
    expect(pause).toMatchObject({ status: 409 });
    expect((await api.client.getRun(id)).isArchived).toBe(true);
  });

  test("keeps its number for DaggyR's clients", async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);
    const url = api.at('/daggyr/api/v1');
    const listed = z.array(z.looseObject({ run_id: z.number() }));
    const before = listed.parse(await (await fetch(`${url}/runs`)).json());
    const number = before.at(-1)?.run_id ?? 0;
    await move(id);

    const state = await fetch(`${url}/runs/${number}/state`);
    const tasks = await fetch(`${url}/runs/${number}/tasks`);

    expect(await state.json()).toMatchObject({ state: 'Killed' });
    expect(await tasks.json()).toHaveLength(2);
  });

  test('is not moved while a webhook is to be told', async () => {
    const webhooks = [{ url: 'https://hooks.example.org/x' }];
    const { id } = await api.client.submitRun({ value: { ...pair, webhooks } });
    await api.client.cancelRun(id);
    const until = Number.MAX_SAFE_INTEGER;
    const moving = { redis, namespace: api.namespace, archive, now: Date.now };

    const movable = await readMovable(redis, api.namespace, shardOf(id), until);
    const moved = await moveRun(moving, id, until);
    await redis.zrem(runHandle(api.namespace, id).names.hooks, id);

    expect([movable.includes(id), moved]).toEqual([false, 'changed']);
    expect(await readMovable(redis, api.namespace, shardOf(id), until)).toContain(id);
    await move(id);
    expect(await api.client.getWebhooks(id)).toMatchObject({ webhooks: [{ webhook: 0 }] });
  });

  test('is not kept in Redis by a retry of nothing', async () => {
    const id = await archived();

    const answer = await api.client.retryRun(id, { states: ['failed'] });

    expect(answer).toMatchObject({ isNew: false, reset: 0 });
    expect((await api.client.getRun(id)).isArchived).toBe(true);
  });

  test('can be deleted, also while it is here to be read', async () => {
    const away = await archived();
    const here = await archived();
    await api.client.getTasks(here);

    await api.client.deleteRun(away);
    await api.client.deleteRun(here);

    for (const id of [away, here]) {
      await expect(api.client.getRun(id)).rejects.toMatchObject({ status: 404 });
      await expect(api.client.getTasks(id)).rejects.toMatchObject({ status: 404 });
      await expect(api.client.deleteRun(id)).rejects.toMatchObject({ status: 404 });
    }
    expect(await keysOf(here)).toEqual([]);
  });

  test('answers as a run that has ended to who would change it', async () => {
    const id = await archived();

    const statuses = await Promise.all(
      ['cancel', 'submit', 'pause', 'resume'].map(async (verb) => {
        const url = api.at(`/api/v1/runs/${id}/${verb}`);
        return (await fetch(url, { method: 'POST' })).status;
      }),
    );

    expect(statuses).toEqual([200, 200, 409, 409]);
    expect(await keysOf(id)).toEqual([]);
  });

  test('is what an Idempotency-Key stands for', async () => {
    const key = { 'Idempotency-Key': 'archived' };
    const submit = (value: unknown) => fetch(api.at('/api/v1/runs'), post(value, key));
    const first = (await (await submit(pair)).json()) as { id: string };
    await api.client.cancelRun(first.id);
    await move(first.id);

    const again = await submit(pair);
    const other = await submit({ ...pair, name: 'other' });

    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ id: first.id });
    expect(other.status).toBe(422);
    expect((await api.client.getRun(first.id)).isArchived).toBe(true);
  });
});

test('pages go on over runs that are moved between them', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 9; n++) {
    const { id } = await api.client.submitRun({ value: { ...pair, tags: { pages: 'x' } } });
    await api.client.cancelRun(id);
    ids.unshift(id);
  }
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.client.listRuns({ limit: 2, ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.runs.map((run) => run.id));
    cursor = page.next;
    // The next of each page, and one that was seen.
    const next = ids.filter((id) => !seen.includes(id))[0];
    if (next !== undefined) await move(next);
    if (seen.length === 4) await move(seen[0] ?? '');
  } while (cursor !== null && seen.length < 40);

  expect(seen.slice(0, 9)).toEqual(ids);
  expect(new Set(seen).size).toBe(seen.length);
});

test('a full Redis takes no run back, and says what to do', async () => {
  const id = await archived();
  const { memory } = { memory: await api.redis.info('memory') };
  const used = Number(/used_memory:(\d+)/.exec(memory)?.[1]);
  await api.redis.config('SET', 'maxmemory', String(used));
  try {
    const response = await fetch(api.at(`/api/v1/runs/${id}/tasks`));

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: 'REDIS_FULL',
      detail: expect.stringMatching(/is in the archive and has to be brought into Redis/),
    });
    expect((await api.client.getRun(id)).isArchived).toBe(true);
  } finally {
    await api.redis.config('SET', 'maxmemory', '0');
  }
});
