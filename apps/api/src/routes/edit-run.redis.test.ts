import { wireEdited } from '@runnel/client';
import { runHandle } from '@runnel/store';
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

  test('lists what it removes, too, when it is done', async () => {
    const { id } = await api.client.submitRun({
      value: { tasks: [{ class: 'n', executor: 'noop', parameters: { N: { from: 1, to: 600 } } }] },
    });

    const response = await put(id, pair, { 'If-Match': '*' }, '?list=true&fate=removed&limit=1000');

    expect(response.status).toBe(202);
    const { tasks } = wireEdited.parse(await response.json());
    expect([tasks.length, tasks[599]?.id]).toEqual([600, 'n:N=600']);
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

  test('gives a cancelled run its new spec and sets it going', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    await api.client.cancelRun(id);

    const response = await put(id, other, { 'If-Match': '"1"', 'Runnel-By': 'ann' });

    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      ...{ id, state: 'running', revision: 2 },
      ...{ reused: 0, kept: 0, rerun: 2, new: 1, removed: 0 },
      classes: [
        { class: 'first', reasons: { 'never-succeeded': 1 } },
        { class: 'second', reasons: { version: 1 } },
        { class: 'third' },
      ],
    });
    const run = await api.client.getRun(id);
    expect(run).toMatchObject({ endedAt: null, isCancelling: false, taskCount: 3 });
    expect(run.classes?.map((one) => [one.class, one.total])).toEqual([
      ['first', 1],
      ['second', 1],
      ['third', 1],
    ]);
    expect(await api.client.getSpec(id)).toEqual(other);
    const keys = await api.keys();
    expect(keys.filter((key) => key.includes('~'))).toEqual([]);
  });

  test('specs and counts of earlier revisions are kept, and go with the run', async () => {
    const { id } = await api.client.submitRun({
      lines: ['{}', ...pair.tasks.map((t) => JSON.stringify(t))],
    });
    await api.client.editRun(id, { value: other }, { revision: 1 });
    await api.client.editRun(id, { value: pair }, { revision: 2 });

    const { revisions } = await readJson(`/api/v1/runs/${id}/revisions`);

    expect(revisions).toMatchObject([
      { revision: 3, edit: { kept: 1, rerun: 1, removed: 1 } },
      { revision: 2, edit: { kept: 1, rerun: 1, new: 1 } },
      { revision: 1, edit: null },
    ]);
    expect(await api.client.getSpec(id, { revision: 1 })).toEqual({ tasks: pair.tasks });
    expect(await api.client.getSpec(id, { revision: 2 })).toEqual(other);
    expect(await api.client.getSpec(id)).toEqual(pair);
    const missing = await fetch(api.at(`/api/v1/runs/${id}/spec?revision=9`));
    expect(missing.status).toBe(404);
    await api.client.cancelRun(id);
    await api.client.deleteRun(id);
    expect((await api.keys()).filter((key) => key.includes(id))).toEqual([]);
  });

  test('of two edits of one revision the second is refused', async () => {
    const { id } = await api.client.submitRun({ value: pair });
    const answers = await Promise.all([put(id, other, tagOne), put(id, other, tagOne)]);

    const statuses = answers.map(({ status }) => status).sort();

    expect([
      [202, 409],
      [202, 412],
    ]).toContainEqual(statuses);
  });

  test('is refused while the run is retried, frozen or was only created, with the remedy', async () => {
    const created = await api.client.submitRun({ value: pair }, { createdOnly: true });
    const frozen = await api.client.submitRun({ value: pair });
    const { names } = runHandle(api.namespace, frozen.id);
    await api.redis.hset(names.meta, 'editing', 'x', 'editingAt', Date.now(), 'editStep', 1);

    const answers = [await put(created.id, other, tagOne), await put(frozen.id, other, tagOne)];

    expect(answers.map(({ status }) => status)).toEqual([409, 409]);
    const [one, two] = await Promise.all(answers.map((answer) => answer.text()));
    expect(one).toContain('has not been started');
    expect(two).toContain('is being edited');
    for (const change of [api.client.cancelRun, api.client.pauseRun, api.client.retryRun]) {
      await expect(change(frozen.id, { from: ['first'] })).rejects.toThrow('is being edited');
    }
  });
});

const tagOne = { 'If-Match': '"1"' };

async function readJson(path: string): Promise<{ readonly revisions: unknown }> {
  const body: unknown = await (await fetch(api.at(path))).json();
  return body as { readonly revisions: unknown }; // what is in it is compared
}
