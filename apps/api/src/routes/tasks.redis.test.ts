import { signOn } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';

const grid = {
  parameters: { CITY: ['berlin', 'são paulo'], YEAR: [1, 2, 3] },
  tasks: [
    { class: 'pull', executor: 'sleep', details: { ms: '{{YEAR}}' }, parameters: ['CITY'] },
    { class: 'all', executor: 'noop', parents: ['pull'] },
    {
      class: 'push',
      executor: 'sleep',
      details: { ms: '{{YEAR}}' },
      parents: ['pull'],
    },
  ],
};

let api: TestApi;
let id: string;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
  ({ id } = await api.client.submitRun({ value: grid }));
});
afterAll(() => api[Symbol.asyncDispose]());

const call = (path: string): Promise<Response> => fetch(api.at(`/api/v1/runs/${id}/tasks${path}`));

describe('GET /api/v1/runs/{id}/tasks', () => {
  test('lists tasks in the order of their numbers', async () => {
    const page = await api.client.getTasks(id);

    expect(page.next).toBeNull();
    expect(page.tasks.map((task) => task.id)).toEqual([
      'pull:CITY=berlin,YEAR=1',
      'pull:CITY=berlin,YEAR=2',
      'pull:CITY=berlin,YEAR=3',
      'pull:CITY=s%C3%A3o%20paulo,YEAR=1',
      'pull:CITY=s%C3%A3o%20paulo,YEAR=2',
      'pull:CITY=s%C3%A3o%20paulo,YEAR=3',
      'all',
      'push:YEAR=1',
      'push:YEAR=2',
      'push:YEAR=3',
    ]);
    expect(page.tasks[0]).toEqual({
      number: 0,
      id: 'pull:CITY=berlin,YEAR=1',
      class: 'pull',
      executor: 'sleep',
      pool: 'default',
      state: 'ready',
      attempt: 0,
      last: null,
    });
  });

  test('pages with a cursor, filtered by class and state', async () => {
    const first = await api.client.getTasks(id, { class: 'push', state: 'waiting', limit: 2 });
    const second = await api.client.getTasks(id, {
      class: 'push',
      state: 'waiting',
      limit: 2,
      cursor: first.next ?? '',
    });

    expect(first.tasks.map((task) => task.id)).toEqual(['push:YEAR=1', 'push:YEAR=2']);
    expect(second.tasks.map((task) => task.id)).toEqual(['push:YEAR=3']);
    expect(second.next).toBeNull();
  });

  test('answers 404 for a class that the run does not have', async () => {
    const response = await call('?class=pul');

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      detail: `run ${id} has no class "pul" (did you mean "pull"?)`,
    });
  });

  test.each(['?limit=1001', '?state=done', '?cursor=e30'])('refuses %s', async (query) => {
    expect((await call(query)).status).toBe(400);
  });
});

describe('GET /api/v1/runs/{id}/tasks/{task}', () => {
  test('tells everything about a task, found by its id', async () => {
    const task = await api.client.getTask(id, 'pull:CITY=s%C3%A3o%20paulo,YEAR=2');

    const self = api.at(`/api/v1/runs/${id}/tasks/4`);
    expect(task).toMatchObject({
      number: 4,
      state: 'ready',
      values: { CITY: 'são paulo', YEAR: 2 },
      output: null,
      failures: [],
      parents: [],
      links: { self, run: api.at(`/api/v1/runs/${id}`), log: `${self}/log` },
    });
  });

  test('finds a task by its number', async () => {
    expect((await api.client.getTask(id, 6)).id).toBe('all');
  });

  test('names the tasks behind a barrier as parents and children', async () => {
    const parent = await api.client.getTask(id, 0);
    const child = await api.client.getTask(id, 'push:YEAR=1');

    expect(parent.children.map((task) => task.id)).toEqual(
      expect.arrayContaining(['all', 'push:YEAR=1', 'push:YEAR=3']),
    );
    expect(child.parents.map((task) => task.number)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test.each([
    ['/al', 'has no task "al" (did you mean "all"?)'],
    ['/push', 'no task "push": that is a class; name one of its tasks, such as "push:YEAR=1"'],
  ])('says what %s may have meant', async (task, words) => {
    const problem: unknown = await (await call(task)).json();

    expect(problem).toMatchObject({ status: 404, detail: expect.stringContaining(words) });
  });

  test.each(['/nobody', '/99', '/%20'])('answers 404 for %s', async (task) => {
    expect((await call(task)).status).toBe(404);
  });
});

describe('GET /api/v1/workers', () => {
  test('lists workers that gave a sign', async () => {
    await signOn(api.redis, api.namespace, {
      name: 'w1',
      number: 1,
      host: 'here',
      pid: 7,
      version: '0.1.0',
      startedAt: Date.parse('2030-01-01T00:00:00Z'),
      seenAt: Date.now(),
      slots: { default: 4 },
      executors: ['noop'],
      running: 2,
      isStopping: false,
    });

    expect(await api.client.listWorkers()).toMatchObject([
      { name: 'w1', startedAt: '2030-01-01T00:00:00.000Z', slots: { default: 4 }, running: 2 },
    ]);
  });
});
