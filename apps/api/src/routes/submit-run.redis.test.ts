import { problemDocument, wireSubmitted } from '@runnel/client';
import { runHandle } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, post, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), { env: { RUNNEL_MAX_BODY: '4KB' } });
});
afterAll(() => api[Symbol.asyncDispose]());

const submit = (init: RequestInit, query = ''): Promise<Response> =>
  fetch(api.at(`/api/v1/runs${query}`), init);

describe('POST /api/v1/runs', () => {
  test('stores a run and says where it is', async () => {
    const response = await submit(post(pair));

    const body = wireSubmitted.parse(await response.json());
    expect(response.status).toBe(201);
    expect(response.headers.get('Location')).toBe(`/api/v1/runs/${body.id}`);
    expect(body).toEqual({
      id: body.id,
      url: api.at(`/api/v1/runs/${body.id}`),
      tasks: 2,
      warnings: [],
    });
    expect((await api.client.getRun(body.id)).state).toBe('running');
  });

  test.each(['application/yaml', 'application/x-yaml', 'text/yaml; charset=utf-8'])(
    'reads YAML sent as %s',
    async (type) => {
      const yaml = 'tasks:\n  - class: only\n    executor: noop\n';

      const response = await submit(post(yaml, { 'Content-Type': type }));

      expect(response.status).toBe(201);
    },
  );

  test('says with dryRun what a spec would become, and stores nothing', async () => {
    const before = await api.keys();
    const spec = {
      parameters: { N: [1, 2, 3] },
      tasks: [
        { class: 'first', executor: 'sleep', details: { ms: '{{N}}' } },
        { class: 'last', executor: 'noop', parents: ['first'] },
      ],
    };

    const response = await submit(post(spec), '?dryRun=true');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      name: null,
      tasks: 4,
      edges: 3,
      classes: [
        { class: 'first', tasks: 3, edges: 0 },
        { class: 'last', tasks: 1, edges: 3 },
      ],
      longestPath: {
        tasks: 2,
        classes: [
          { class: 'first', tasks: 1 },
          { class: 'last', tasks: 1 },
        ],
      },
      widestLayer: { layer: 0, tasks: 3 },
      redisBytes: expect.closeTo(5_200, -3),
      warnings: [],
    });
    expect(await api.keys()).toEqual(before);
  });

  test('tells everything that is wrong with a spec at once, and leaves nothing behind', async () => {
    const before = await api.keys();
    const spec = [
      'tasks:',
      '  - class: a',
      '    executor: locl',
      '  - class: b',
      '    executor: noop',
      '    colour: red',
      '  - class: c',
      '    executor: noop',
      '    parents: [nobody]',
    ].join('\n');

    const response = await submit(post(spec, { 'Content-Type': 'application/yaml' }));

    const problem = problemDocument.parse(await response.json());
    expect(response.status).toBe(422);
    expect(response.headers.get('Content-Type')).toContain('application/problem+json');
    expect(problem.code).toBe('SPEC_INVALID');
    expect(problem.errors?.map(({ pointer, path, line }) => ({ pointer, path, line }))).toEqual([
      { pointer: '/tasks/0/executor', path: 'tasks[0].executor', line: 3 },
      { pointer: '/tasks/1/colour', path: 'tasks[1].colour', line: 6 },
      { pointer: '/tasks/2/parents/0', path: 'tasks[2].parents[0]', line: 9 },
    ]);
    expect(await api.keys()).toEqual(before);
  });

  test('warns of what may not be meant', async () => {
    const spec = {
      parameters: { N: [1, 2] },
      tasks: [
        { class: 'a', executor: 'sleep', details: { ms: '{{N}}' } },
        { class: 'b', executor: 'sleep', parents: ['a'], details: { ms: '{{N}}' } },
      ],
    };

    const { warnings } = await api.client.submitRun({ value: spec });

    expect(warnings.map(({ pointer }) => pointer)).toEqual(['/tasks/1/parents/0']);
  });

  test('answers malformed JSON with 400 and the place', async () => {
    const response = await submit(post('{\n  "tasks": oops\n}'));

    const problem = problemDocument.parse(await response.json());
    expect(response.status).toBe(400);
    expect(problem.code).toBe('SPEC_UNREADABLE');
    expect(problem.errors).toMatchObject([{ pointer: '', line: 2, column: 12 }]);
  });

  test.each([
    ['an unknown type', post('x', { 'Content-Type': 'text/plain' }), 415],
    [
      'a charset but UTF-8',
      post('{}', { 'Content-Type': 'application/json; charset=latin1' }),
      415,
    ],
    ['a compressed body', post('{}', { 'Content-Encoding': 'gzip' }), 415],
    ['an empty body', post(''), 400],
    ['bytes that are not UTF-8', { ...post(''), body: new Uint8Array([0x22, 0xff, 0x22]) }, 400],
    ['an Idempotency-Key with spaces', post(pair, { 'Idempotency-Key': 'a b' }), 400],
  ])('refuses %s', async (_what, init, status) => {
    const response = await submit(init);

    expect(response.status).toBe(status);
    expect(problemDocument.parse(await response.json()).status).toBe(status);
  });

  test.each([
    ['?dryrun=true', 'there is no parameter dryrun'],
    ['?dryRun=yes', 'dryRun: must be true or false'],
    ['?source=relative/path', 'source: must be an absolute path'],
  ])('refuses the query %s', async (query, detail) => {
    const response = await submit(post(pair), query);

    expect(response.status).toBe(400);
    expect(problemDocument.parse(await response.json()).detail).toContain(detail);
  });

  test('tells both numbers where the body is too large', async () => {
    const response = await submit(post({ name: 'x'.repeat(5_000) }));

    const problem = problemDocument.parse(await response.json());
    expect(response.status).toBe(413);
    expect(problem.detail).toContain('5011 bytes; at most 4096');
  });

  test('stops reading a body of unknown length at the limit', async () => {
    const piece = new TextEncoder().encode(' '.repeat(1_000));
    const body = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 10; count++) controller.enqueue(piece);
        controller.close();
      },
    });

    const response = await submit({ ...post(''), body, duplex: 'half' });

    expect(response.status).toBe(413);
  });

  test('keeps the folder of a spec from this machine, but not through a proxy', async () => {
    const yaml = post({
      tasks: [{ class: 'a', details: { command: ['cat', '{{run.source}}/x'] } }],
    });

    const response = await submit(yaml, '?source=/data/specs');
    const { id } = wireSubmitted.parse(await response.json());
    const forwarded = await submit(
      post(pair, { 'X-Forwarded-For': '10.0.0.9' }),
      '?source=/data/specs',
    );

    expect((await api.client.getRun(id)).source).toBe('/data/specs');
    expect(forwarded.status).toBe(400);
  });
});

describe('Idempotency-Key', () => {
  test('makes a repeated request the same run', async () => {
    const init = post(pair, { 'Idempotency-Key': 'same' });

    const first = await submit(init);
    const second = await submit(init);

    expect([first.status, second.status]).toEqual([201, 200]);
    const [a, b] = [await first.json(), await second.json()].map((it) => wireSubmitted.parse(it));
    expect(b?.id).toBe(a?.id);
  });

  test('refuses another spec under the same key', async () => {
    await submit(post(pair, { 'Idempotency-Key': 'reused' }));

    const other = await submit(post({ ...pair, name: 'other' }, { 'Idempotency-Key': 'reused' }));

    expect(other.status).toBe(422);
    expect(problemDocument.parse(await other.json()).code).toBe('KEY_REUSED');
  });

  test('answers 409 while the first request is in flight', async () => {
    const init = post(pair, { 'Idempotency-Key': 'flying' });
    const { id } = wireSubmitted.parse(await (await submit(init)).json());
    await api.redis.hset(runHandle(api.namespace, id).names.meta, 'state', 'submitting');

    const response = await submit(init);

    expect(response.status).toBe(409);
    expect(response.headers.get('Retry-After')).toBe('1');
    expect(problemDocument.parse(await response.json()).code).toBe('IN_FLIGHT');
  });
});

describe('createdOnly', () => {
  test('leaves the run created until it is started', async () => {
    const { id } = await api.client.submitRun({ value: pair }, { createdOnly: true });
    const created = await api.client.getRun(id);

    const started = await fetch(api.at(`/api/v1/runs/${id}/submit`), { method: 'POST' });
    const again = await fetch(api.at(`/api/v1/runs/${id}/submit`), { method: 'POST' });

    expect(created.state).toBe('created');
    expect(created.startedAt).toBeNull();
    expect([started.status, again.status]).toEqual([202, 200]);
    expect((await api.client.getRun(id)).state).toBe('running');
  });
});
