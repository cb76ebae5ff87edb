import { runHandle } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, post, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

const retry = (id: string, init: RequestInit = { method: 'POST' }, query = ''): Promise<Response> =>
  fetch(api.at(`/api/v1/runs/${id}/retry${query}`), init);

async function createCancelled(): Promise<string> {
  const { id } = await api.client.submitRun({ value: pair });
  await api.client.cancelRun(id);
  return id;
}

describe('POST /api/v1/runs/{id}/retry', () => {
  test('sets an ended run going again, and says what is brought back', async () => {
    const id = await createCancelled();

    const response = await retry(id);

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      ...{ id, url: api.at(`/api/v1/runs/${id}`), state: 'running', reset: 2, leftRunning: 0 },
      classes: [
        { class: 'first', reset: 1, leftRunning: 0 },
        { class: 'second', reset: 1, leftRunning: 0 },
      ],
    });
    expect(await api.client.getRun(id)).toMatchObject({ endedAt: null, isCancelling: false });
  });

  test('is refused while another is under way', async () => {
    const id = await createCancelled();
    await retry(id);

    const second = await retry(id);

    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ code: 'IN_FLIGHT' });
  });

  test('with dryRun says what it would do, and changes nothing', async () => {
    const id = await createCancelled();
    const before = await api.redis.hgetall(runHandle(api.namespace, id).names.meta);

    const response = await retry(id, undefined, '?dryRun=true');

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ state: 'cancelled', reset: 2 });
    expect(await api.redis.hgetall(runHandle(api.namespace, id).names.meta)).toEqual(before);
  });

  test.each([
    ['a task by its id, without what it hangs on', { tasks: ['second'] }, 1],
    ['a task by its number, with what hangs on it', { tasks: [0] }, 2],
    ['a class', { classes: ['second'] }, 1],
    ['only what matches all lists', { classes: ['second'], tasks: ['first'] }, 0],
    ['only those in a state', { states: ['failed'] }, 0],
    ['from a task on', { from: ['second'] }, 1],
    ['from a task on and others', { from: ['second'], states: ['cancelled'] }, 2],
  ] as const)('selects %s', async (_, body, reset) => {
    const id = await createCancelled();

    const response = await retry(id, post(body), '?dryRun=true');

    expect(await response.json()).toMatchObject({ reset });
  });

  test('where nothing is selected nothing is changed, and the answer is 200', async () => {
    const id = await createCancelled();

    const response = await retry(id, post({ states: ['failed'] }));

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ state: 'cancelled', reset: 0, classes: [] });
  });

  test('counts a task after a selected one that was released already as left', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    const answer = await api.client.retryRun(id, { from: ['first'], dryRun: true });

    expect(answer).toMatchObject({ reset: 0, leftRunning: 1, isNew: false });
  });

  test.each([
    ['a task', { tasks: ['nobody'] }, 404, 'has no task "nobody"'],
    ['a class', { classes: ['nobody'] }, 404, 'has no class "nobody"'],
    ['a state that is not final', { states: ['running'] }, 400, 'states.0'],
    ['a misspelled list', { task: ['first'] }, 400, 'Unrecognized key'],
  ] as const)('names %s that it does not know', async (_, body, status, words) => {
    const id = await createCancelled();

    const response = await retry(id, post(body));

    expect(response.status).toBe(status);
    expect(await response.text()).toContain(JSON.stringify(words).slice(1, -1));
  });

  test('is refused for a run that was only created, and for one that is being cancelled', async () => {
    const created = await api.client.submitRun({ value: pair }, { createdOnly: true });
    const halting = await api.client.submitRun({ value: pair });
    const { names } = runHandle(api.namespace, halting.id);
    await api.redis.hset(names.meta, 'halt', 'cancel');

    const answers = [created.id, halting.id].map((id) => retry(id, post({ from: ['first'] })));

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([409, 409]);
  });
});
