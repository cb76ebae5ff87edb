import { once } from 'node:events';
import { request as sendRequest } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { type ProblemDocument, problemDocument, wireSubmitted } from '@runnel/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), {
    env: { RUNNEL_MAX_BODY: '64KB', RUNNEL_MAX_TASKS: '5000' },
    bodySilenceMs: 200,
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const head = '{"name":"lines","tags":{"team":"data"},"priority":3}';
const pair = [
  head,
  '{"class":"second","executor":"noop","parents":["first"]}',
  '{"class":"first","executor":"noop"}',
].join('\n');

function submit(
  body: string,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(api.at(`/api/v1/runs${query}`), {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
  });
}

async function problemOf(response: Response): Promise<ProblemDocument> {
  return problemDocument.parse(await response.json());
}

/** So many tasks, each with the one before as its parent. */
function chain(length: number): string {
  const tasks = Array.from({ length }, (_, index) =>
    JSON.stringify({
      class: 'work',
      id: `t${index}`,
      executor: 'noop',
      parents: index === 0 ? [] : [{ id: `t${index - 1}` }],
    }),
  );
  return [head, ...tasks].join('\n');
}

/** So many tasks of 8 KB each. */
function longLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({ class: 'work', id: `t${index}`, details: { command: ['x'.repeat(8000)] } }),
  );
}

describe('POST /api/v1/runs with lines', () => {
  test('stores a run', async () => {
    const response = await submit(pair);

    const { id, tasks } = wireSubmitted.parse(await response.json());
    expect(response.status).toBe(201);
    expect(tasks).toBe(2);
    const run = await api.client.getRun(id);
    expect([run.name, run.tags, run.state]).toEqual(['lines', { team: 'data' }, 'running']);
    const second = await api.client.getTask(id, 'second');
    expect(second.parents.map((parent) => parent.id)).toEqual(['first']);
  });

  test('gives the spec back, as JSON and line by line', async () => {
    const { id } = wireSubmitted.parse(await (await submit(pair)).json());
    const path = api.at(`/api/v1/runs/${id}/spec`);

    const json = await fetch(path);
    const lines = await fetch(path, { headers: { Accept: 'application/x-ndjson' } });

    expect(json.headers.get('Content-Type')).toContain('application/json');
    expect(await json.json()).toEqual({
      ...JSON.parse(head),
      tasks: [
        { class: 'second', executor: 'noop', parents: ['first'] },
        { class: 'first', executor: 'noop' },
      ],
    });
    expect(lines.headers.get('Content-Type')).toContain('application/x-ndjson');
    expect(await lines.text()).toBe(pair);
  });

  test('says with dryRun what they would become, and stores nothing', async () => {
    const before = await api.keys();

    const response = await submit(chain(300), { query: '?dryRun=true' });

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ name: 'lines', tasks: 300, edges: 299 });
    expect(await api.keys()).toEqual(before);
  });

  test('is the same run when the same bytes come with the same key', async () => {
    const headers = { 'Idempotency-Key': 'lines-1' };

    const first = wireSubmitted.parse(await (await submit(pair, { headers })).json());
    const again = await submit(pair, { headers });
    const other = await submit(`${pair}\n`, { headers });

    expect(again.status).toBe(200);
    expect(wireSubmitted.parse(await again.json()).id).toBe(first.id);
    expect((await problemOf(other)).code).toBe('KEY_REUSED');
  });

  test('tells what is wrong with the line of each error, and stores nothing', async () => {
    const before = await api.keys();

    const response = await submit(
      [
        head,
        '{"class":"a","executor":"nop"}',
        '{"class":"b",',
        '{"class":"c","parents":["d"]}',
      ].join('\n'),
    );

    const { status, code, errors } = await problemOf(response);
    expect([status, code]).toEqual([400, 'SPEC_UNREADABLE']);
    expect(errors?.map(({ pointer, line }) => [pointer, line])).toEqual([
      ['/tasks/0/executor', 2],
      ['/tasks/1', 3],
      ['/tasks/2/details/command', 4],
    ]);
    expect(await api.keys()).toEqual(before);
  });

  test('refuses more tasks than the limit, with both numbers, and stores nothing', async () => {
    const before = await api.keys();

    const response = await submit(chain(5001));

    const { status, errors } = await problemOf(response);
    expect(status).toBe(422);
    expect(errors?.map((error) => error.detail)).toEqual([
      'the run has 5001 tasks or more, over the limit of 5000',
    ]);
    expect(await api.keys()).toEqual(before);
  });

  test('takes sixteen times as many bytes as of another document, and no more', async () => {
    const fits = await submit([head, ...longLines(20)].join('\n'));
    const announced = await submit([head, ...longLines(140)].join('\n'));

    expect(fits.status).toBe(201);
    const { status, detail } = await problemOf(announced);
    expect(status).toBe(413);
    expect(detail).toContain('at most 1048576 (1MB) are accepted');
  });

  test('refuses a body without an announced length in the middle of it', async () => {
    const lines = [head, ...longLines(200)].map((line) => `${line}\n`);

    const response = await fetch(api.at('/api/v1/runs'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      duplex: 'half',
      body: ReadableStream.from(lines).pipeThrough(new TextEncoderStream()),
    });

    expect((await problemOf(response)).status).toBe(413);
  });
});

describe('a submission that does not come to its end', () => {
  const open = () => {
    const headers = { 'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked' };
    const request = sendRequest(api.at('/api/v1/runs'), { method: 'POST', headers });
    request.write(`${chain(2000)}\n`);
    return request;
  };

  test('but breaks off leaves nothing', async () => {
    const before = await api.keys();
    const request = open();
    const closed = new Promise((resolve) => request.on('error', resolve));
    await once(request, 'socket');

    request.destroy();
    await closed;

    await (await fetch(api.at('/readyz'))).text();
    expect(await api.keys()).toEqual(before);
  });

  test('but falls silent is answered with 408 and leaves nothing', async () => {
    const before = await api.keys();
    const request = open();

    const [response] = await once(request, 'response');

    const problem = problemDocument.parse(JSON.parse(await readText(response)));
    expect([problem.status, problem.code]).toEqual([408, 'BODY_TIMEOUT']);
    expect(problem.detail).toContain('200ms');
    expect(await api.keys()).toEqual(before);
    request.destroy();
  });

  test('as JSON is answered with 408 too', async () => {
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    const request = sendRequest(api.at('/api/v1/runs'), { method: 'POST', headers });
    request.write('{"tasks":');

    const [response] = await once(request, 'response');

    expect(response.statusCode).toBe(408);
    request.destroy();
  });
});

// Ids beyond ASCII go the long way: seconds, where the machine is busy.
test('a large JSON document is read task by task and given back as it was', {
  timeout: 30_000,
}, async () => {
  await using large = await startTestApi(inject('redisUrl'));
  const tasks = Array.from({ length: 25_000 }, (_, index) => ({
    class: 'work',
    id: `täsk-with-a-long-name-${index} 🌲`.replace(' ', '-'),
    executor: 'noop',
    parents: index === 0 ? [] : [{ id: `täsk-with-a-long-name-${index - 1}-🌲` }],
  }));
  const spec = { name: 'large', tasks };
  const options = { idempotencyKey: 'large' };

  const first = await large.client.submitRun({ value: spec }, options);
  const again = await large.client.submitRun({ value: spec }, options);

  expect([first.tasks, first.isNew, again.id, again.isNew]).toEqual([
    25_000,
    true,
    first.id,
    false,
  ]);
  expect(await large.client.getSpec(first.id)).toEqual(spec);
});
