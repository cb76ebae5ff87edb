import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

const [first, second] = pair.tasks;
const other = {
  ...pair,
  tasks: [first, { ...second, version: 2 }, { class: 'third', executor: 'noop' }],
};

function put(
  id: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  query = '',
): Promise<Response> {
  const all = { 'Content-Type': 'application/json', ...headers };
  const init = { method: 'PUT', body: JSON.stringify(body), headers: all };
  return fetch(api.at(`/api/v1/runs/${id}/spec${query}`), init);
}

describe('PUT /api/v1/runs/{id}/spec', () => {
  test('with dryRun says what would become of each task, and changes nothing', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const before = await api.keys();

    const response = await put(id, other, {}, '?dryRun=true&list=true');

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      ...{ id, state: 'running', revision: 1, next: null },
      ...{ reused: 0, kept: 1, rerun: 1, new: 1, removed: 0 },
      classes: [
        { class: 'first', kept: 1, reasons: {} },
        { class: 'second', rerun: 1, reasons: { version: 1 } },
        { class: 'third', new: 1 },
      ],
      tasks: [
        { id: 'first', class: 'first', fate: 'kept', reason: null },
        { id: 'second', class: 'second', fate: 'rerun', reason: 'version' },
        { id: 'third', class: 'third', fate: 'new', reason: null },
      ],
    });
    expect(await api.keys()).toEqual(before);
    expect(await api.client.readRevision(id)).toBe(1);
  });

  test('lists page by page, those with one fate alone where that is asked', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const gone = {
      tasks: [
        { class: 'x', executor: 'noop' },
        { class: 'y', executor: 'noop' },
      ],
    };
    const page = (query: object) =>
      api.client.previewEdit(id, { value: gone }, { list: true, ...query });

    const one = await page({ limit: 3 });
    const two = await page({ limit: 3, cursor: one.next ?? '' });

    expect([...one.tasks, ...two.tasks].map((task) => task.id)).toEqual([
      'x',
      'y',
      'first',
      'second',
    ]);
    expect(two.next).toBeNull();
    expect((await page({ fate: 'removed' })).tasks.map((task) => task.id)).toEqual([
      'first',
      'second',
    ]);
  });

  test('needs the ETag of the spec: missing 428, another one 412, both with the remedy', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const tag = (await fetch(api.at(`/api/v1/runs/${id}/spec`))).headers.get('ETag');

    const missing = await put(id, other);
    const wrong = await put(id, other, { 'If-Match': '"7"' });

    expect(tag).toBe('"1"');
    expect(missing.status).toBe(428);
    expect(await missing.json()).toMatchObject({ code: 'REVISION_REQUIRED' });
    expect(wrong.status).toBe(412);
    expect(await wrong.text()).toContain('read the spec again');
  });

  test('a wrong spec is refused with all its errors', async () => {
    const { id } = await api.client.submitRun({ value: pair });

    const response = await put(id, { tasks: [{ clas: 'a' }] }, { 'If-Match': '*' });

    expect(response.status).toBe(422);
  });
});
