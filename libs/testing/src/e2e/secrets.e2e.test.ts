import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { connectRedis } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Stack } from '../stack.ts';
import {
  canaries,
  expectNoCanary,
  handOn,
  names,
  pathWithoutPython,
  print,
  readAll,
} from './canaries.ts';
import { waitForEnd } from './wait-for.ts';

/**
 * Plants secrets, lets tasks give them away in every way that they have, and looks for them in everything that is
 * stored or shown. Beside each secret a task writes a marker: where the search does not find the markers it proves
 * nothing.
 */

/** Where the worker finds them: the last two elsewhere than in the directory. */
const elsewhere = ['BY_PATH', 'BY_VARIABLE'];

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

let outside: string;
let stack: Stack;
let client: Client;
let runId: string;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'runnel-canaries-'));
  const env = {
    RUNNEL_FUNCTIONS: fixture('functions.ts'),
    RUNNEL_EXECUTORS: fixture('secret-executor.ts'),
    RUNNEL_CONCURRENCY: '4',
    RUNNEL_KNOWN_POOLS: 'default,plain',
    RUNNEL_LOG_LEVEL: 'trace',
  };
  // Compressed, a value would not be found in the file.
  const redis = { appendonly: 'yes', rdbcompression: 'no', 'auto-aof-rewrite-percentage': '0' };
  stack = await Stack.start({ api: true, workers: 0, env, redis });
  const secrets = await plant();
  await Promise.all([
    stack.add('worker', secrets),
    // Without Python: its commands are started in the other way.
    stack.add('worker', {
      ...secrets,
      RUNNEL_POOLS: 'plain',
      PATH: await pathWithoutPython(outside),
    }),
  ]);
  client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({ value: { name: 'canaries', tasks: tasks() } });
  runId = id;
  await waitForEnd(client, id, 100_000);
}, 180_000);

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await rm(outside, { recursive: true, force: true });
});

/** Outside of the stack's own folder, which is searched. */
async function plant(): Promise<Record<string, string>> {
  const dir = join(outside, 'secrets');
  await mkdir(dir);
  for (const name of names.filter((one) => !elsewhere.includes(one))) {
    await writeFile(join(dir, name), `${canaries[name]}\n`);
  }
  const file = join(outside, 'by-path');
  await writeFile(file, canaries['BY_PATH'] ?? '');
  return {
    RUNNEL_SECRETS: dir,
    RUNNEL_SECRET_BY_PATH_FILE: file,
    RUNNEL_SECRET_BY_VARIABLE: canaries['BY_VARIABLE'] ?? '',
  };
}

function tasks(): unknown[] {
  const commands = ['default', 'plain'].flatMap((pool) =>
    names.flatMap((name) => commandsFor(name, pool)),
  );
  const calls = names.flatMap((name) =>
    [true, false].flatMap((fails) => {
      const input = { name, marker: 'marker-function', fails };
      const details = { name, marker: 'marker-vault', fails };
      const rest = { id: `${name}-${fails}`, allowFailure: true };
      return [
        { class: 'call', executor: 'function', details: { name: 'reveal', input }, ...rest },
        { class: 'vault', executor: 'vault', details, ...rest, id: `v-${name}-${fails}` },
      ];
    }),
  );
  const lacks = { command: ['true'], environment: { X: { secret: 'NOBODY_HAS_IT' } } };
  return [
    ...commands,
    ...calls,
    { class: 'lacks', retries: 3, allowFailure: true, details: lacks },
  ];
}

function commandsFor(name: string, pool: string): unknown[] {
  const secret = { secret: name };
  const command = ['sh', '-c', print];
  const entry = (kind: string, details: object, more: object = {}) => ({
    class: kind,
    id: `${kind}-${pool}-${name}`,
    ...{ pool, details, allowFailure: true },
    ...more,
  });
  const environment = { SECRET: secret, MARKER: 'marker-command' };
  return [
    entry('print', { command, environment: { ...environment, CODE: 0 } }),
    entry(
      'fail',
      { command, environment: { ...environment, CODE: 3 } },
      { retries: { limit: 1, backoff: '100ms' } },
    ),
    entry('read', { command: ['cat'], stdin: secret }),
    entry('hand-on', { command: ['node', '-e', handOn], environment }),
    entry(
      'take-over',
      { command: ['env'], environment: { TAKEN: 'it has {{outputs.hand-on}}' } },
      { parents: [{ id: `hand-on-${pool}-${name}` }] },
    ),
  ];
}

async function fetchBytes(path: string): Promise<readonly [string, Buffer]> {
  const response = await fetch(new URL(path, stack.apiUrl));
  expect([path, response.status]).toEqual([path, 200]);
  return [path, Buffer.from(await response.arrayBuffer())];
}

async function readTasks(): Promise<readonly { id: string; state: string }[]> {
  const page = await client.getTasks(runId, { limit: 500 });
  expect(page.tasks.length).toBe(tasks().length);
  return page.tasks;
}

test('every task did what it should', async () => {
  for (const { id, state } of await readTasks()) {
    const fails = /^(fail|lacks)|true$/.test(id);
    expect([id, state]).toEqual([id, fails ? 'failed' : 'succeeded']);
  }
});

test('tasks got the right values, and logs have marks in their place', async () => {
  for (const pool of ['default', 'plain']) {
    for (const name of names) {
      const { text } = await client.getLog(runId, `read-${pool}-${name}`);
      expect([name, text]).toEqual([name, '***']);
    }
  }
  const { text } = await client.getLog(runId, 'print-default-PLAIN');
  expect(text).toMatch(/^marker-command\n\*\*\*\n\*\*\*\n\*\*\*\S{0,4}\n\*\*\*\S{0,4}\n/);
  const { text: handed } = await client.getLog(runId, 'hand-on-plain-PLAIN');
  expect(handed).toContain('the output held a secret');
});

test('a secret that no worker has fails its task at once, and says where was looked', async () => {
  const task = await client.getTask(runId, 'lacks');

  expect(task.attempt).toBe(1);
  expect(task.failures.at(-1)).toMatchObject({ reason: 'secret-missing' });
  expect(task.failures.at(-1)?.message).toMatch(
    /^details\.environment\.X: the worker \S+ has no secret "NOBODY_HAS_IT": there is no file .*secrets\/NOBODY_HAS_IT, neither/,
  );
});

describe('no canary is', () => {
  test('in the files of Redis', async () => {
    const redis = connectRedis(stack.redisUrl, () => undefined);
    await redis.save();
    redis.disconnect();

    const files = readAll(join(stack.dir, 'redis'));

    const withMarkers = files.filter(([, bytes]) => bytes.includes('marker-command'));
    expect(withMarkers.map(([file]) => file).join()).toMatch(/\.aof.*dump\.rdb|dump\.rdb.*\.aof/);
    expectNoCanary(files);
  });

  test('in the data directory', () => {
    expectNoCanary(readAll(stack.dir));
  });

  test('in what the processes log', () => {
    const logs = stack.processes.map(
      (one, index) => [`${one.app} ${index}`, Buffer.from(one.log.join('\n'))] as const,
    );

    expect(logs.every(([, bytes]) => bytes.length > 0)).toBe(true);
    expectNoCanary(logs);
  });

  test('in what the API answers', async () => {
    const run = `/api/v1/runs/${runId}`;
    const perTask = (await readTasks()).flatMap(({ id }) => {
      const task = `${run}/tasks/${encodeURIComponent(id)}`;
      return [task, `${task}/log`];
    });
    const paths = [run, `${run}/spec`, `${run}/tasks?limit=500`, `${run}/doctor`, '/api/v1/runs'];
    const answers: (readonly [string, Buffer])[] = [];
    for (const path of [...paths, ...perTask]) answers.push(await fetchBytes(path));

    const text = Buffer.concat(answers.map(([, bytes]) => bytes)).toString();
    expect(text.match(/marker-/g)?.length).toBeGreaterThan(names.length * 6);
    expect(text).toContain('{"secret":"PLAIN"}');
    expectNoCanary(answers);
  });

  test('in Bull Board', async () => {
    const job = z.object({ id: z.string(), name: z.string() });
    const shape = z.object({
      queues: z.array(z.object({ name: z.string(), jobs: z.array(job) })),
    });
    const answers: (readonly [string, Buffer])[] = [];
    for (const queue of ['default', 'plain']) {
      for (const status of ['completed', 'failed']) {
        const query = `activeQueue=${queue}&status=${status}&page=1&jobsPerPage=100`;
        const answer = await fetchBytes(`/board/api/queues?${query}`);
        answers.push(answer);
        const { queues } = shape.parse(JSON.parse(answer[1].toString()));
        for (const { id } of queues.find(({ name }) => name === queue)?.jobs ?? []) {
          answers.push(
            await fetchBytes(`/board/api/queues/${queue}/${encodeURIComponent(id)}/logs`),
          );
        }
      }
    }

    const text = Buffer.concat(answers.map(([, bytes]) => bytes)).toString();
    expect(text).toContain('marker-command');
    expect(text).toContain("marker-vault can't log in with ***");
    expectNoCanary(answers);
  });
});

test('a name with a placeholder is refused, with its place', async () => {
  const spec = {
    parameters: { NAME: ['PLAIN'] },
    tasks: [{ class: 'a', details: { command: ['true'], stdin: { secret: '{{NAME}}' } } }],
  };

  const refused = client.submitRun({ value: spec });

  await expect(refused).rejects.toThrow(/tasks\[0\]\.details\.stdin.*placeholders are not filled/s);
});

test('what another task handed on can not ask for a secret', async () => {
  const spec = {
    tasks: [
      { class: 'from', executor: 'noop', details: { output: { ref: { secret: 'PLAIN' } } } },
      {
        class: 'to',
        parents: ['from'],
        details: { command: ['cat'], stdin: '{{outputs.from.ref}}' },
      },
    ],
  };
  const { id } = await client.submitRun({ value: spec });

  const run = await waitForEnd(client, id);

  expect(run.state).toBe('failed');
  expect((await client.getTask(id, 'to')).failures.at(-1)?.reason).toBe('spawn-error');
});

test('a spec with a task a line may refer to secrets too', async () => {
  const tasks = ['PLAIN', 'REGEX'].map((name) => ({
    class: 'read',
    id: name,
    details: { command: ['cat'], stdin: { secret: name } },
  }));
  const body = [{ name: 'lines' }, ...tasks].map((line) => JSON.stringify(line)).join('\n');
  const response = await fetch(new URL('/api/v1/runs', stack.apiUrl), {
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const { id } = z.object({ id: z.string() }).parse(await response.json());

  const run = await waitForEnd(client, id);

  expect(run.counts.succeeded).toBe(2);
  expect((await client.getLog(id, 'PLAIN')).text).toBe('***');
  expect((await client.getLog(id, 'REGEX')).text).toBe('***');
  expect((await client.getTask(id, 'REGEX')).details).toEqual(tasks[1]?.details);
});
