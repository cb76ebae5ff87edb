import { ApiError } from '@runnel/client';
import { addressRules, parseAllowedPlaces } from '@runnel/core';
import { HookDeliverer, HookPoster, maxTries } from '@runnel/engine';
import { RunInfoCache, readRunFacts } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { post, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;
const operators = { url: 'http://127.0.0.1:1/operator', on: ['run-cancelled'] };

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), {
    env: { RUNNEL_WEBHOOK_ALLOW: '127.0.0.1', RUNNEL_WEBHOOKS: JSON.stringify([operators]) },
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const tasks = [{ class: 'a', executor: 'noop' }];

/** Every try fails at once: nobody listens there. */
async function giveUp(): Promise<void> {
  let nowMs = Date.now();
  await using deliverer = new HookDeliverer({
    namespace: api.namespace,
    infos: new RunInfoCache(api.redis, api.namespace),
    events: { redis: api.redis, settings: api.settings },
    secrets: { read: async () => '' },
    poster: new HookPoster({ rules: addressRules(parseAllowedPlaces(['127.0.0.1'])) }),
    now: () => nowMs,
    random: () => 0.5,
    onResult: () => undefined,
    owned: () => [...Array(32).keys()],
    onError: (error) => {
      throw error;
    },
  });
  for (let tries = 0; tries < maxTries; tries++) {
    await deliverer.round();
    await deliverer.settled();
    nowMs += 24 * 3_600_000;
  }
}

test('webhooks of a run and of all runs are told with how far they have got', async () => {
  const url = 'https://example.org/hook';
  const { id } = await api.client.submitRun({
    value: {
      webhooks: [{ url, on: ['task-failed'], classes: ['a'], secret: { secret: 'K' } }],
      tasks,
    },
  });

  const { lastEvent, webhooks } = await api.client.getWebhooks(id);

  const fresh = { after: 0, until: null, isClosed: false, tries: 0, nextTryAt: null, error: null };
  expect(lastEvent).toBe(1);
  expect(webhooks).toEqual([
    { webhook: 0, url, on: ['task-failed'], classes: ['a'], secret: 'K', ...fresh },
    { webhook: 1, ...operators, classes: null, secret: null, ...fresh },
  ]);
});

test('a webhook to an address that is refused is an error of the spec, with its place and a remedy', async () => {
  const body = { webhooks: [{ url: 'http://169.254.169.254/' }], tasks };

  const response = await fetch(api.at('/api/v1/runs'), post(body));

  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({
    code: 'SPEC_INVALID',
    errors: [
      {
        pointer: '/webhooks/0/url',
        detail:
          '169.254.169.254 is a link-local address, where clouds keep their metadata: webhooks go there only if the setting RUNNEL_WEBHOOK_ALLOW names the host or its network',
      },
    ],
  });
});

test('an API whose own webhooks may not be reached does not start, and says what to set', async () => {
  const env = { RUNNEL_WEBHOOKS: '[{"url":"http://10.0.0.1/"}]' };

  await expect(startTestApi(inject('redisUrl'), { env })).rejects.toThrow(
    'RUNNEL_WEBHOOKS: [0].url: 10.0.0.1 is a private address: webhooks go there only if the setting RUNNEL_WEBHOOK_ALLOW',
  );
});

test('what was given up is listed in pages and sent again once', async () => {
  const webhooks = [1, 2, 3].map((port) => ({
    url: `http://127.0.0.1:${port}/`,
    on: ['run-started'],
  }));
  const { id } = await api.client.submitRun({ value: { webhooks, tasks } });
  await giveUp();

  const first = await api.client.listFailedWebhooks({ limit: 2 });
  const second = await api.client.listFailedWebhooks({ limit: 2, cursor: first.next ?? '' });
  const failed = [...first.failed, ...second.failed];
  const again = await api.client.retryWebhook(failed[0]?.id ?? '');
  const left = await api.client.listFailedWebhooks();
  const repeated = await api.client.retryWebhook(failed[0]?.id ?? '').catch((error) => error);

  expect(second.next).toBeNull();
  expect(failed.map(({ url }) => url).sort()).toEqual(webhooks.map(({ url }) => url));
  expect(failed[0]).toMatchObject({
    ...{ run: id, after: 0, until: 1, tries: maxTries },
    error: expect.stringContaining('connect ECONNREFUSED 127.0.0.1:'),
  });
  expect(again).toEqual(failed[0]);
  expect(left.failed).toEqual(failed.slice(1));
  expect(repeated).toBeInstanceOf(ApiError);
  expect(repeated).toMatchObject({ status: 404 });
  expect((await readRunFacts(api.redis, api.namespace, id)).nodeCount).toBe(1);
});

test.each(['x', '99-1-1', '1-1', '1-1-1', '12-99999999999999999-0'])(
  'what has the id %s can not be sent again',
  async (id) => {
    const response = await fetch(api.at(`/api/v1/webhooks/failed/${id}/retry`), { method: 'POST' });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      detail: `no failed webhook has the id "${id}"; it may be on its way again`,
    });
  },
);
