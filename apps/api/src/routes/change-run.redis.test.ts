import { runHandle } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

interface Asked {
  readonly body?: unknown;
  readonly query?: string;
  readonly by?: string;
}

function ask(id: string, verb: string, { body, query = '', by }: Asked = {}): Promise<Response> {
  return fetch(api.at(`/api/v1/runs/${id}/${verb}${query}`), {
    method: 'POST',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(by === undefined ? {} : { 'Runnel-By': by }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const submit = async (): Promise<string> => (await api.client.submitRun({ value: pair })).id;

describe('a change of tasks', () => {
  test('cancels a class, says what it is about, and has the rest skipped', async () => {
    const id = await submit();

    const response = await ask(id, 'cancel', { body: { classes: ['first'] } });

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      ...{ id, url: api.at(`/api/v1/runs/${id}`), state: 'cancelled', selected: 1, running: 0 },
      classes: [{ class: 'first', selected: 1, running: 0 }],
    });
    expect((await api.client.getRun(id)).counts).toMatchObject({ cancelled: 1, skipped: 1 });
  });

  test.each([
    [{ tasks: ['second'] }, 1],
    [{ tasks: [0] }, 1],
    [{ states: ['waiting'] }, 1],
    [{ from: ['first'] }, 2],
    [{ classes: ['first'], from: ['second'] }, 2],
    [{ classes: ['first'], states: ['waiting'] }, 0],
  ])('%j selects %i, and with dryRun changes nothing', async (body, selected) => {
    const id = await submit();
    const key = runHandle(api.namespace, id).names.meta;
    const before = await api.redis.hgetall(key);

    for (const verb of ['cancel', 'pause', 'resume']) {
      const response = await ask(id, verb, { body, query: '?dryRun=true' });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ selected });
    }

    expect(await api.redis.hgetall(key)).toEqual(before);
  });

  test('pauses a class once, lists it, and lets it go on once', async () => {
    const id = await submit();
    const body = { classes: ['second'] };

    const statuses: number[] = [];
    for (const verb of ['pause', 'pause', 'resume', 'resume']) {
      const response = await ask(id, verb, { body, by: 'ann smith@host' });
      statuses.push(response.status);
      const { pausedParts } = await api.client.getRun(id);
      const listed = pausedParts?.classes.map((one) => [one.class, one.by]) ?? [];
      expect(listed).toEqual(verb === 'pause' ? [['second', 'ann smith@host']] : []);
    }

    expect(statuses).toEqual([202, 200, 202, 200]);
  });

  test('is refused for what there is not, is misspelled or has ended', async () => {
    const id = await submit();

    const codes = [
      await ask(id, 'cancel', { body: { classes: ['thrid'] } }),
      await ask(id, 'pause', { body: { tasks: ['third'] } }),
      await ask(id, 'pause', { body: { states: ['failed'] } }),
      await ask(id, 'resume', { body: { class: ['first'] } }),
      await ask(id, 'pause', { query: '?force=true' }),
    ].map(({ status }) => status);
    await api.client.cancelRun(id);
    const ended = await ask(id, 'pause', { body: { classes: ['first'] } });

    expect(codes).toEqual([404, 404, 400, 400, 400]);
    expect(ended.status).toBe(409);
    expect(await ended.json()).toMatchObject({
      detail: `run ${id} has cancelled already: there is nothing to change`,
    });
  });

  test('finds nothing to cancel among tasks that a retry has not set back so far', async () => {
    const id = await submit();
    await api.client.cancelRun(id);
    await api.client.retryRun(id);

    const response = await ask(id, 'cancel', { body: { tasks: ['second'] } });

    // A retry has set back nothing so far: nothing could be cancelled.
    expect(response.status).toBe(200);
    expect(await ask(id, 'retry')).toMatchObject({ status: 409 });
  });
});

describe('who did it', () => {
  test('is told by the run and its events', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await ask(id, 'pause', { by: 'ann@host' });
    const { pausedBy } = await api.client.getRun(id);
    await ask(id, 'resume', { by: 'bob@host' });
    await ask(id, 'cancel', { by: 'eve@host' });

    const events: unknown[] = [];
    for await (const { type, data } of api.client.followEvents(id)) {
      if (type.startsWith('runnel.run.')) events.push([type, data['by']]);
    }

    expect(pausedBy).toBe('ann@host');
    expect(await api.client.getRun(id)).toMatchObject({
      submittedBy: null,
      cancelledBy: 'eve@host',
    });
    expect(events).toEqual([
      ['runnel.run.started', null],
      ['runnel.run.paused', 'ann@host'],
      ['runnel.run.resumed', 'bob@host'],
      ['runnel.run.cancelling', 'eve@host'],
      ['runnel.run.ended', undefined],
    ]);
  });

  test.each(['', ' ', 'a'.repeat(201), 'tab\there', 'é'])('is refused as %j', async (by) => {
    const id = await submit();

    const response = await ask(id, 'pause', { by });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      detail: 'Runnel-By: must be 1 to 200 printable ASCII characters',
    });
  });
});
