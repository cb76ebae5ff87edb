import { get } from 'node:http';
import { wireRunPage } from '@runnel/client';
import { runHandle } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

const call = (path: string, method = 'GET'): Promise<Response> =>
  fetch(api.at(`/api/v1/runs/${path}`), { method });

async function createEnded(): Promise<string> {
  const { id } = await api.client.submitRun({ value: pair });
  await api.client.cancelRun(id);
  return id;
}

describe('GET /api/v1/runs/{id}', () => {
  test('tells the state, counts and classes of a run', async () => {
    const { id, url } = await api.client.submitRun({ value: pair });

    const run = await api.client.getRun(id);

    const none = { queued: 0, running: 0, delayed: 0, succeeded: 0, failed: 0 };
    const rest = { ...none, skipped: 0, 'upstream-failed': 0, cancelled: 0 };
    expect(run).toMatchObject({
      id,
      name: 'pair',
      tags: { team: 'data' },
      state: 'running',
      endedAt: null,
      taskCount: 2,
      counts: { waiting: 1, ready: 1, ...rest },
      isCancelling: false,
      duplicates: 0,
      links: { self: url, spec: `${url}/spec`, tasks: `${url}/tasks` },
      classes: [
        { class: 'first', total: 1, counts: { waiting: 0, ready: 1, ...rest }, meanMs: null },
        { class: 'second', total: 1, counts: { waiting: 1, ready: 0, ...rest }, meanMs: null },
      ],
      classesOmitted: false,
    });
    expect(Date.parse(run.createdAt)).toBeGreaterThan(Date.now() - 60_000);
  });

  test('leaves classes out where there are more than a thousand', async () => {
    const tasks = Array.from({ length: 1_001 }, (_, index) => ({
      class: `c${index}`,
      executor: 'noop',
    }));
    const { id } = await api.client.submitRun({ value: { tasks } });

    const run = await api.client.getRun(id);

    expect(run.classes).toBeUndefined();
    expect(run.classesOmitted).toBe(true);
    expect(run.counts.ready).toBe(1_001);
  });

  test('answers 304 where nothing has changed', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const etag = (await call(id)).headers.get('ETag') ?? '';

    // fetch would add `Cache-Control: no-cache` by itself.
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const headers = { 'If-None-Match': etag };
    get(api.at(`/api/v1/runs/${id}`), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });

    expect(await promise).toBe(304);
  });

  test('says nothing of classes while the run is being submitted', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.redis.hset(runHandle(api.namespace, id).names.meta, 'state', 'submitting');

    const run = await api.client.getRun(id);
    const tasks = await call(`${id}/tasks`);

    expect(run).toMatchObject({ state: 'submitting', classesOmitted: true });
    expect(tasks.status).toBe(409);
  });

  test.each([
    ['GET', 'nothing'],
    ['DELETE', 'nothing'],
    ['GET', 'nothing/spec'],
    ['GET', 'nothing/tasks'],
    ['GET', 'nothing/tasks/first'],
    ['GET', 'nothing/tasks/first/log'],
    ['POST', 'nothing/cancel'],
    ['POST', 'nothing/submit'],
    ['GET', 'nothing/else'],
  ])('answers %s %s with 404', async (method, path) => {
    const response = await call(path, method);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  test('answers a path that is no percent-encoding with 400', async () => {
    expect((await call('%E0%A4%A')).status).toBe(400);
  });
});

describe('GET /api/v1/runs/{id}/spec', () => {
  test('gives back the spec as it was submitted', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    expect(await api.client.getSpec(id)).toEqual(pair);
  });
});

describe('POST /api/v1/runs/{id}/cancel', () => {
  test('cancels once, and repeated changes nothing', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    const first = await call(`${id}/cancel`, 'POST');
    const second = await call(`${id}/cancel`, 'POST');

    expect([first.status, second.status]).toEqual([202, 200]);
    expect(await api.client.getRun(id)).toMatchObject({
      state: 'cancelled',
      counts: { cancelled: 2 },
    });
  });

  test('is refused for a run that has ended otherwise', async () => {
    const id = await createEnded();
    await api.redis.hset(runHandle(api.namespace, id).names.meta, 'state', 'succeeded');

    const response = await call(`${id}/cancel`, 'POST');

    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      detail: `run ${id} has succeeded already: there is nothing to cancel`,
    });
  });
});

describe('POST /api/v1/runs/{id}/pause and /resume', () => {
  test('pause and let go on once; repeated they change nothing', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const statuses: number[] = [];
    const bodies: unknown[] = [];

    for (const verb of ['pause', 'pause', 'resume', 'resume']) {
      const response = await call(`${id}/${verb}`, 'POST');
      statuses.push(response.status);
      bodies.push(await response.json());
    }

    expect(statuses).toEqual([202, 200, 202, 200]);
    expect(bodies).toMatchObject(
      ['paused', 'paused', 'running', 'running'].map((state) => ({ id, state })),
    );
  });

  test('a paused run is listed as such, with the time', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    await api.client.pauseRun(id);

    const { runs } = await api.client.listRuns({ state: 'paused' });
    expect(runs.map((run) => run.id)).toContain(id);
    const { pausedAt, counts } = await api.client.getRun(id);
    expect(Date.parse(pausedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(counts).toMatchObject({ ready: 1, waiting: 1 });
  });

  test.each(['pause', 'resume'])('%s is refused for a run that has ended', async (verb) => {
    const id = await createEnded();

    const response = await call(`${id}/${verb}`, 'POST');

    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      detail: `run ${id} has cancelled already: there is nothing to pause or to resume`,
    });
  });

  test('and for one that has not started', async () => {
    const { id } = await api.client.submitRun({ value: pair }, { createdOnly: true });

    expect((await call(`${id}/pause`, 'POST')).status).toBe(409);
  });
});

describe('DELETE /api/v1/runs/{id}', () => {
  test('removes a run that has ended', async () => {
    const id = await createEnded();

    const response = await call(id, 'DELETE');

    expect(response.status).toBe(204);
    expect((await call(id)).status).toBe(404);
    expect((await call(`${id}/tasks`)).status).toBe(404);
  });

  test('is refused while the run goes on', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    expect((await call(id, 'DELETE')).status).toBe(409);
  });

  test('lets another run take its place under the same Idempotency-Key', async () => {
    const idempotencyKey = 'again';
    const { id } = await api.client.submitRun({ value: pair }, { idempotencyKey });
    await api.client.getTasks(id);
    await api.client.cancelRun(id);
    const other = await startTestApi(inject('redisUrl'), {
      env: { RUNNEL_NAMESPACE: api.namespace },
    });
    await other.client.deleteRun(id);

    const value = { tasks: [{ class: 'new', executor: 'noop' }] };
    const { id: same } = await other.client.submitRun({ value }, { idempotencyKey });

    expect(same).toBe(id);
    expect((await api.client.getRun(id)).classes?.map((it) => it.class)).toEqual(['new']);
    await other[Symbol.asyncDispose]();
  });
});

describe('GET /api/v1/runs', () => {
  test('pages over runs that were created in the same millisecond', async () => {
    await using still = await startTestApi(inject('redisUrl'), {
      clock: { now: () => 1_900_000_000_000 },
    });
    const value = { tasks: [{ class: 'a', executor: 'noop' }] };
    const ids: string[] = [];
    for (let count = 0; count < 300; count++) {
      ids.push((await still.client.submitRun({ value })).id);
    }

    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await still.client.listRuns({
        limit: 70,
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...page.runs.map((run) => run.id));
      cursor = page.next;
    } while (cursor !== null);

    expect(seen).toHaveLength(300);
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  test('filters by state and time', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    await using own = await startTestApi(inject('redisUrl'), { clock: { now: () => now } });
    const early = await own.client.submitRun({ value: pair });
    now = Date.parse('2030-01-02T00:00:00Z');
    const late = await own.client.submitRun({ value: pair });
    await own.client.cancelRun(late.id);

    const list = async (query: string): Promise<string[]> => {
      const response = await fetch(own.at(`/api/v1/runs?${query}`));
      return wireRunPage.parse(await response.json()).runs.map((run) => run.id);
    };

    expect(await list('')).toEqual([late.id, early.id]);
    expect(await list('state=cancelled')).toEqual([late.id]);
    expect(await list('until=2030-01-01T12:00:00Z')).toEqual([early.id]);
    expect(await list('since=2030-01-02T01:00:00%2B01:00')).toEqual([late.id]);
  });

  test.each([
    ['limit=0', 'limit: must be at least 1'],
    ['limit=201', 'limit: must be at most 200'],
    ['limit=many', 'limit: must be a whole number from 1 to 200'],
    ['since=yesterday', 'since: must be a time such as 2030-01-31T08:00:00Z'],
    ['state=done', 'state: '],
    ['cursor=nonsense', 'cursor: this is not a cursor that the API gave'],
    ['color=red', 'there is no parameter color'],
    ['tag=', 'tag: must be a tag such as team:data'],
    ['tag=a&tag=:b', 'tag: must be a tag such as team:data'],
  ])('refuses %s', async (query, detail) => {
    const response = await fetch(api.at(`/api/v1/runs?${query}`));

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'BAD_REQUEST',
      detail: expect.stringContaining(detail),
    });
  });
});

test.each([
  ['GET', '/api/v1/runs/r?color=red'],
  ['GET', '/api/v1/tags?prefix=te'],
  // What is meant as a try must not delete.
  ['DELETE', '/api/v1/runs/r?dryRun=true'],
])('refuses a parameter where there is none: %s %s', async (method, path) => {
  const response = await fetch(api.at(path), { method });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    detail: expect.stringMatching(/^the query is not valid: there is no parameter /),
  });
});
