import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';
import { ask, echo, submit } from './daggyr.test-kit.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), { env: { RUNNEL_KNOWN_POOLS: 'default,gpu' } });
});
afterAll(() => api[Symbol.asyncDispose]());

const chain = {
  tags: { env: 'test' },
  tasks: { a: { ...echo('a'), children: ['b'] }, b: echo('b') },
};

function numberOf(body: unknown): number {
  return Number(Object(body)['run_id']);
}

test('is ready', async () => {
  expect(await ask(api, '/ready')).toEqual({ status: 200, body: '' });
});

test('a run gets a number, by which it is found in the shapes of DaggyR', async () => {
  const submitted = await submit(api, chain);
  const number = numberOf(submitted.body);
  const at = `/api/v1/runs/${number}`;
  const [state, tasks, alsoTasks, task, full, list] = await Promise.all([
    ask(api, `${at}/state`),
    ask(api, `${at}/tasks`),
    ask(api, at),
    ask(api, `${at}/tasks/b`),
    ask(api, `${at}/full`),
    ask(api, '/api/v1/runs'),
  ]);

  expect(submitted).toEqual({ status: 200, body: { run_id: number } });
  expect(state.body).toEqual({ datetime: expect.any(String), state: 'Running' });
  expect(tasks.body).toEqual([
    { task_id: 'a', state: 'Queued' },
    { task_id: 'b', state: 'Queued' },
  ]);
  expect(alsoTasks).toEqual(tasks);
  expect(task.body).toEqual({
    task: {
      run_id: number,
      task_type: 'Normal',
      is_generator: false,
      max_retries: 0,
      retries: 0,
      parents: [],
      children: [],
      details: { command: ['echo', 'b'] },
    },
    attempts: [],
    state_changes: [{ datetime: expect.any(String), state: 'Queued' }],
  });
  expect(full.body).toMatchObject({
    tags: { env: 'test' },
    parameters: {},
    state_changes: [{ state: 'Queued' }, { state: 'Running' }],
    tasks: { a: { task: { children: ['b'] }, attempts: [] }, b: { attempts: [] } },
  });
  expect(list.body).toContainEqual({
    run_id: number,
    tags: { env: 'test' },
    state: 'Running',
    start_time: expect.any(String),
    last_update_time: expect.any(String),
    task_states: { Queued: 2 },
  });
});

test('numbers survive the API', async () => {
  const number = numberOf((await submit(api, chain)).body);
  const { redisUrl, namespace } = { redisUrl: inject('redisUrl'), namespace: api.namespace };
  await using again = await startTestApi(redisUrl, { env: { RUNNEL_NAMESPACE: namespace } });

  expect((await ask(again, `/api/v1/runs/${number}/tasks/a`)).status).toBe(200);
  expect(numberOf((await submit(again, chain)).body)).toBeGreaterThan(number);
});

test('mistakes are told all at once, with line and column, and nothing is stored', async () => {
  const before = await api.keys();
  const text = [
    '{',
    '  "parameters": { "DATE": ["1", "1"] },',
    '  "tasks": {',
    '    "a": { "details": { "command": "echo DATE" } }',
    '  }',
    '}',
  ].join('\n');

  const { status, body } = await submit(api, text);

  expect(status).toBe(422);
  expect(body).toEqual({
    error: [
      'parameters.DATE[1] (line 2, column 33): the value "1" is there twice, it is also number 0: two tasks would have one name; leave one of them out',
      'tasks.a.details.command (line 4, column 25): a task needs a list of words such as ["echo", "hi"]; for a shell ["sh", "-c", "echo hi"]',
    ].join('\n'),
  });
  expect(await api.keys()).toEqual(before);
});

test('mistakes in the graph are told once, by their place in the document', async () => {
  const values = Array.from({ length: 50 }, (_, index) => String(index));

  const { status, body } = await submit(api, {
    parameters: { NN: values },
    tasks: {
      a: {
        details: { command: ['echo', 'NN'], environment: { RUNNEL_RUN_ID: '1' } },
        parents: ['missing'],
      },
    },
  });

  expect(status).toBe(422);
  const lines = String(Object(body).error).split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('tasks.a.parents[0]');
  expect(lines[0]).toContain('"missing"');
  expect(lines[1]).toContain('tasks.a.details.environment.RUNNEL_RUN_ID');
});

test('tags are texts', async () => {
  const { status, body } = await submit(api, { ...chain, tags: { year: 2022 } });

  expect(status).toBe(422);
  expect(Object(body).error).toContain('tags.year');
  expect(Object(body).error).toContain('write "2022"');
});

test('a run that is deleted is gone by its number, too, and the number is not given again', async () => {
  const number = numberOf((await submit(api, chain)).body);
  const { runs } = await api.client.listRuns({ limit: 1 });
  const id = runs[0]?.id ?? '';
  await ask(api, `/api/v1/runs/${number}`, { method: 'DELETE' });
  await api.client.deleteRun(id);

  const { status, body } = await ask(api, `/api/v1/runs/${number}/state`);

  expect(status).toBe(404);
  expect(Object(body).error).toContain('it may have been deleted');
  expect(numberOf((await submit(api, chain)).body)).toBe(number + 1);
});

test('a cycle is told', async () => {
  const { status, body } = await submit(api, {
    tasks: { a: { ...echo(), parents: ['b'] }, b: { ...echo(), parents: ['a'] } },
  });

  expect(status).toBe(422);
  expect(Object(body).error).toContain('the tasks wait for each other: a → b → a');
});

test('a generator is told as one', async () => {
  const { body } = await submit(api, { tasks: { g: { ...echo(), is_generator: true } } });
  const task = await ask(api, `/api/v1/runs/${numberOf(body)}/tasks/g`);

  expect(task.body).toMatchObject({ task: { is_generator: true } });
});

test('what is ignored is warned of, and an unknown pool is no reason to refuse a run', async () => {
  const { status, body } = await submit(api, {
    pool: 'cluster',
    tasks: { a: { details: { command: ['echo'], env: { A: 1 } } } },
  });

  expect(status).toBe(200);
  const paths = Object(body).warnings.map((warning: { path: string }) => warning.path);
  expect(paths).toEqual(['tasks.a.details.env', 'pool']);
});

test('the tasks of a run with a known pool go there', async () => {
  const { body } = await submit(api, { ...chain, pool: 'gpu' });
  const list = await api.client.listRuns({ limit: 1 });
  const { tasks } = await api.client.getTasks(list.runs[0]?.id ?? '');

  expect(numberOf(body)).toBeGreaterThanOrEqual(0);
  expect(tasks.map(({ pool }) => pool)).toEqual(['gpu', 'gpu']);
});

test('the same Idempotency-Key is the same run', async () => {
  const init = (document: unknown) => ({
    method: 'POST',
    body: JSON.stringify(document),
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'once' },
  });

  const first = await ask(api, '/api/v1/runs', init(chain));
  const second = await ask(api, '/api/v1/runs', init(chain));
  const other = await ask(api, '/api/v1/runs', init({ ...chain, tags: {} }));

  expect(second).toEqual(first);
  expect(other.status).toBe(422);
  expect(Object(other.body).error).toContain('the Idempotency-Key was used for another spec');
});

test('a forged report of an attempt is refused and changes nothing', async () => {
  const number = numberOf((await submit(api, chain)).body);

  const forged = await ask(api, '/task/attempt', {
    method: 'POST',
    body: JSON.stringify({ run_id: number, task_id: 'a', attempt: { succeeded: true } }),
    headers: { 'Content-Type': 'application/json' },
  });
  const { body } = await ask(api, `/api/v1/runs/${number}/tasks/a`);

  expect(forged.status).toBe(403);
  expect(Object(forged.body).error).toContain('attempts are reported by the workers');
  expect(body).toMatchObject({ attempts: [], state_changes: [{ state: 'Queued' }] });
});

test.each([
  ['GET', '/api/v1/runs/987654', 404, 'no run has the number 987654'],
  ['PATCH', '/api/v1/runs/nothing', 404, 'there is no run nothing'],
  ['GET', '/api/v1/elsewhere', 404, 'there is no GET /daggyr/api/v1/elsewhere'],
])('%s %s is answered in the shape of DaggyR', async (method, path, expected, text) => {
  const { status, body } = await ask(api, path, { method });

  expect(status).toBe(expected);
  expect(Object.keys(Object(body))).toEqual(['error']);
  expect(Object(body).error).toContain(text);
});

test('a task that is not there, and a body that is no JSON document', async () => {
  const number = numberOf((await submit(api, chain)).body);
  const noTask = await ask(api, `/api/v1/runs/${number}/tasks/c`);
  const broken = await submit(api, '{"tasks": ');
  const lines = await ask(api, '/api/v1/runs', {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/x-ndjson' },
  });

  expect(noTask.status).toBe(404);
  expect(broken.status).toBe(400);
  expect(lines.status).toBe(415);
});

test('names that are no ids here are found by what they are called in DaggyR', async () => {
  const number = numberOf(
    (await submit(api, { tasks: { 'my task': echo(), '7': echo(), '100%': echo() } })).body,
  );
  const at = `/api/v1/runs/${number}/tasks`;

  const { body } = await ask(api, at);
  const each = await Promise.all(
    ['my task', '7', '100%'].map((name) => ask(api, `${at}/${encodeURIComponent(name)}`)),
  );

  expect(body).toEqual([
    { task_id: '7', state: 'Queued' },
    { task_id: 'my task', state: 'Queued' },
    { task_id: '100%', state: 'Queued' },
  ]);
  expect(each.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('a request without the token is refused in the shape of DaggyR', async () => {
  await using closed = await startTestApi(inject('redisUrl'), {
    env: { RUNNEL_TOKEN: 'correct-horse-battery' },
  });

  const { status, body } = await ask(closed, '/api/v1/runs');

  expect(status).toBe(401);
  expect(Object.keys(Object(body))).toEqual(['error']);
});
