import type { WireEvent } from '@runnel/client';
import { claim, readDeliveries, readRunFacts, stateCode, takeTurn } from '@runnel/store';
import { settlementOf } from '@runnel/store/store-driver';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

/** Ends every task that is ready, as a worker and a listener would. */
async function playReady(id: string, code: number, failure?: unknown): Promise<void> {
  const { handle } = await readRunFacts(api.redis, api.namespace, id);
  const shares = handle.queues.map(() => ({ window: 1_000, slots: 1 }));
  await takeTurn(api.redis, handle, { settlements: [], shares, now: 2_000 });
  for (const { carrier } of await readDeliveries(api.redis, handle)) {
    const claimed = await claim(api.redis, handle, {
      ...{ carrier, attemptsStarted: 1, token: Buffer.alloc(8, 7) },
      ...{ maxDeaths: 3, poisonRecord: '{}', now: 1 },
    });
    if (claimed.kind === 'refused') throw new Error(claimed.refusal);
    const { delivery } = claimed;
    const ends = delivery.ids.map((_, place) => ({ place, code }));
    if (failure !== undefined) {
      const fields = delivery.ids.flatMap((task) => [`${task}.1`, JSON.stringify(failure)]);
      await api.redis.hset(handle.names.failures, ...fields);
    }
    const settlements = [settlementOf(delivery, ends)];
    await takeTurn(api.redis, handle, { settlements, shares, now: 3_000 });
  }
}

async function gather(events: AsyncIterable<WireEvent>): Promise<readonly WireEvent[]> {
  const all: WireEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const idsOf = (events: readonly WireEvent[]) => events.map(({ id, type }) => `${id} ${type}`);

describe('GET …/events', () => {
  test('tells what happened and what happens, as CloudEvents, to the end of the run', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const events: WireEvent[] = [];

    for await (const event of api.client.followEvents(id)) {
      events.push(event);
      if (event.type === 'runnel.run.ended') continue;
      await playReady(id, stateCode.succeeded);
    }

    expect(idsOf(events)).toEqual([
      '1 runnel.run.started',
      '2 runnel.task.succeeded',
      '3 runnel.task.succeeded',
      '4 runnel.run.ended',
    ]);
    expect(events[1]).toEqual({
      ...{ specversion: '1.0', id: '2', type: 'runnel.task.succeeded' },
      ...{ source: `/api/v1/runs/${id}`, subject: 'first', time: '1970-01-01T00:00:03.000Z' },
      datacontenttype: 'application/json',
      data: { run: id, task: 0, id: 'first', class: 'first', state: 'succeeded', attempt: 1 },
    });
    expect(events[3]?.data).toEqual({
      ...{ run: id, state: 'succeeded' },
      keptUntil: new Date(3_000 + (api.settings.archiveKeepMs ?? 0)).toISOString(),
    });
  });

  test('goes on after the last event that is known, in the middle of what one call ended', async () => {
    const { id } = await api.client.submitRun({
      value: {
        parameters: { N: { from: 1, to: 9 } },
        tasks: [{ class: 'a', executor: 'noop', parameters: ['N'] }],
      },
    });
    await playReady(id, stateCode.succeeded);

    const all = await gather(api.client.followEvents(id));
    const rest = await gather(api.client.followEvents(id, { after: 7 }));

    expect(all).toHaveLength(11);
    expect(rest).toEqual(all.slice(7));
  });

  test('says why attempts failed', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const failure = { reason: 'exit', message: 'no such file', exitCode: 3 };
    await playReady(id, stateCode.failed, {
      ...failure,
      ...{ retryable: true, startMs: 0, durationMs: 1, worker: 'w' },
    });

    const events = await gather(api.client.followEvents(id));

    expect(events[1]).toMatchObject({ type: 'runnel.task.failed', data: failure });
    expect(events[2]).toMatchObject({ type: 'runnel.task.upstream-failed', subject: 'second' });
    expect(events[2]?.data['attempt']).toBe(0);
  });

  test('tells of what is not kept any more with one reset, and then what is kept', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await playReady(id, stateCode.succeeded);
    await playReady(id, stateCode.succeeded);
    const { handle } = await readRunFacts(api.redis, api.namespace, id);
    await api.redis.xtrim(handle.names.events, 'MAXLEN', 2);

    const fromStart = await gather(api.client.followEvents(id));
    const known = await gather(api.client.followEvents(id, { after: 2 }));
    const ofAnother = await gather(api.client.followEvents(id, { after: 99 }));

    const kept = ['3 runnel.task.succeeded', '4 runnel.run.ended'];
    expect(idsOf(fromStart)).toEqual(['3-reset runnel.feed.reset', ...kept]);
    expect(fromStart[0]?.data).toEqual({ run: id, lastKnown: 0, next: 3 });
    expect(idsOf(known)).toEqual(kept);
    expect(idsOf(ofAnother)).toEqual(['3-reset runnel.feed.reset', ...kept]);
  });

  test('tells of a cancel', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);

    const events = await gather(api.client.followEvents(id));

    expect(idsOf(events).slice(1)).toEqual(['2 runnel.run.cancelling', '3 runnel.run.ended']);
    expect(events[1]?.data).toEqual({ run: id, state: 'running', by: null });
    expect(events[2]?.data['state']).toBe('cancelled');
  });

  test('tells of a run that is deleted while it is followed', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const events: WireEvent[] = [];

    for await (const event of api.client.followEvents(id)) {
      events.push(event);
      const { handle } = await readRunFacts(api.redis, api.namespace, id).catch(() => ({
        handle: null,
      }));
      if (handle !== null) await api.redis.del(handle.names.meta);
    }

    expect(idsOf(events)).toEqual(['1 runnel.run.started', '1-removed runnel.run.removed']);
  });

  test('answers 204 where the run has ended and everything is known', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);

    const response = await fetch(api.at(`/api/v1/runs/${id}/events?after=3`));

    expect(response.status).toBe(204);
  });

  test('is an event stream whose ids a browser comes back with', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);

    const headers = { 'Last-Event-ID': '2' };
    const response = await fetch(api.at(`/api/v1/runs/${id}/events`), { headers });
    const text = await response.text();

    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(text).toMatch(/^id: 3\ndata: \{"specversion":"1.0",.*\}\n\n$/);
  });

  test.each([
    ['a word', { 'Last-Event-ID': 'x' }, 400],
    ['a number below 0', { 'Last-Event-ID': '-1' }, 400],
  ])('refuses %s as the last event', async (_, headers, status) => {
    const { id } = await api.client.submitRun({ value: pair });

    const response = await fetch(api.at(`/api/v1/runs/${id}/events`), { headers });

    expect(response.status).toBe(status);
  });

  test('ends when the API stops', async () => {
    const own = await startTestApi(inject('redisUrl'), {
      env: { RUNNEL_NAMESPACE: api.namespace },
    });
    const { id } = await api.client.submitRun({ value: pair });
    let stopping: PromiseLike<void> | undefined;
    const events: WireEvent[] = [];

    for await (const event of own.client.followEvents(id)) {
      events.push(event);
      stopping ??= own[Symbol.asyncDispose]();
    }
    await stopping;

    expect(idsOf(events)).toEqual(['1 runnel.run.started']);
  });
});
