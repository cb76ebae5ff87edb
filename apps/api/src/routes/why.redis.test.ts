import { readFileSync } from 'node:fs';
import { whyCodes } from '@runnel/core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

test('a run of which nobody takes care says that pool and listener are missing', async () => {
  const { id } = await api.client.submitRun({ value: pair });

  const why = await api.client.why(id);

  expect(why).toMatchObject({ subject: { run: id }, state: 'running' });
  expect(why.reasons.map(({ code }) => code)).toEqual([
    ...['pool-unserved', 'parents', 'listener-missing'],
  ]);
});

test('a task is named by its id or by its number', async () => {
  const { id } = await api.client.submitRun({ value: pair });

  const byId = await api.client.why(id, 'second');
  const byNumber = await api.client.why(id, 1);

  expect(byId.subject).toEqual({ run: id, task: { number: 1, id: 'second' } });
  expect(byId.reasons[0]).toMatchObject({
    code: 'parents',
    detail: '1 of 1 parents have not ended (1 of first)',
    tasks: [{ number: 0, id: 'first', state: 'ready' }],
  });
  expect(byNumber).toEqual(byId);
});

test('a run that was only created says when it expires', async () => {
  const { id } = await api.client.submitRun({ value: pair }, { createdOnly: true });

  const [reason] = (await api.client.why(id)).reasons;

  expect(reason).toMatchObject({
    code: 'created',
    remedy: `start it: POST /api/v1/runs/${id}/submit`,
  });
  expect(Date.parse(reason?.until ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
});

test('what does not exist is a 404', async () => {
  const { id } = await api.client.submitRun({ value: pair });

  await expect(api.client.why('nobody')).rejects.toMatchObject({ status: 404 });
  await expect(api.client.why(id, 'third')).rejects.toMatchObject({ status: 404 });
});

test('the page of the API names every code', () => {
  const page = readFileSync(new URL('../../../../docs/api.md', import.meta.url), 'utf8');

  const missing = Object.keys(whyCodes).filter((code) => !page.includes(`\`${code}\``));

  expect(missing).toEqual([]);
});
