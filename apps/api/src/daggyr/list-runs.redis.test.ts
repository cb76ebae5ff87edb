import { openArchive } from '@runnel/archive';
import { moveRun } from '@runnel/engine';
import { connectRedis, findNumberedRun } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';
import { ask, echo, submit } from './daggyr.test-kit.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

const chain = { tasks: { a: { ...echo('a'), children: ['b'] }, b: echo('b') } };

function numberOf(body: unknown): number {
  return Number(Object(body)['run_id']);
}

/** Numbers of the runs that are listed. */
async function list(query: string): Promise<readonly number[]> {
  const { body } = await ask(api, `/api/v1/runs?${query}`);
  return Object(body).map((run: unknown) => numberOf(run));
}

test('a run of the native API is listed, too, and its number stays', async () => {
  const { id } = await api.client.submitRun({
    value: { tasks: [{ class: 'own', executor: 'noop' }] },
  });

  const first = await ask(api, `/api/v1/runs/${id}/state`);
  const lists = [await ask(api, '/api/v1/runs'), await ask(api, '/api/v1/runs')];
  const numbers = lists.map(({ body }) => Object(body).at(-1).run_id);
  const task = await ask(api, `/api/v1/runs/${numbers[0]}/tasks/own`);

  expect(first.status).toBe(200);
  expect(numbers[0]).toBe(numbers[1]);
  expect(task.body).toMatchObject({ task: { run_id: numbers[0], task_type: 'Structural' } });
});

test('the list filters: by tags, states and times', async () => {
  const tag = `t${Date.now()}`;
  const kept = numberOf((await submit(api, { ...chain, tags: { tag, team: 'data' } })).body);
  const killed = numberOf((await submit(api, { ...chain, tags: { tag, team: 'web' } })).body);
  await ask(api, `/api/v1/runs/${killed}`, { method: 'DELETE' });
  const future = '2100-01-01T00:00:00Z';

  expect(await list(`tags=tag:${tag}`)).toEqual([kept, killed]);
  expect(await list(`tags=tag:${tag},team=web`)).toEqual([killed]);
  expect(await list(`tags[tag]=${tag}&tags[team]=data`)).toEqual([kept]);
  expect(await list(`tags=${encodeURIComponent(JSON.stringify({ tag, team: 'web' }))}`)).toEqual([
    killed,
  ]);
  expect(await list(`tags=tag:${tag}&states=Killed`)).toEqual([killed]);
  expect(await list(`tags=tag:${tag}&states=Killed,running`)).toEqual([kept, killed]);
  expect(await list(`tags=tag:${tag}&states=Completed`)).toEqual([]);
  expect(await list(`tags=tag:${tag}&start_time=${future}`)).toEqual([]);
  expect(await list(`tags=tag:${tag}&end_time=${future}`)).toEqual([kept, killed]);
});

test.each([
  [
    'states=Done',
    'there is no state "Done"; known are Queued, Running, Errored, Completed, Killed',
  ],
  ['tags=team', 'tags: "team" is no tag; write tags=team:data'],
  ['tags={', 'tags: this is not JSON; write tags=team:data'],
  ['start_time=soon', 'start_time: "soon" is no time; write it as 2022-01-31T08:00:00Z'],
  ['tag=a', 'there is no parameter tag; known are tags, states, start_time, end_time'],
])('a filter that is wrong is an error: %s', async (query, text) => {
  const { status, body } = await ask(api, `/api/v1/runs?${query}`);

  expect(status).toBe(400);
  expect(Object(body).error).toContain(text);
});

test('runs that moved to the archive are listed with those that are in Redis', async () => {
  const { settings, namespace } = api;
  const redis = connectRedis(inject('redisUrl'), () => undefined);
  using _ = { [Symbol.dispose]: () => redis.disconnect() };
  await using archive = await openArchive({ ...settings, onError: () => undefined });
  if (archive === null) throw new Error('there is no archive');
  const tags = { tag: 'archived' };
  const first = numberOf((await submit(api, { ...chain, tags })).body);
  const second = numberOf((await submit(api, { ...chain, tags })).body);
  await ask(api, `/api/v1/runs/${first}`, { method: 'DELETE' });
  const before = await ask(api, '/api/v1/runs?tags=tag:archived&states=Killed');

  const id = (await findNumberedRun(redis, namespace, first)) ?? '';
  const moved = await moveRun({ redis, namespace, archive, now: Date.now }, id, Infinity);

  expect(moved).toBe('moved');
  expect(await list('tags=tag:archived')).toEqual([first, second]);
  expect(await ask(api, '/api/v1/runs?tags=tag:archived&states=Killed')).toEqual(before);
  expect(before.body).toMatchObject([{ run_id: first, task_states: { Killed: 2 } }]);
});
