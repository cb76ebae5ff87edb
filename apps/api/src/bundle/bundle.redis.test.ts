import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { openArchive } from '@runnel/archive';
import { moveRun } from '@runnel/engine';
import { encodeSection, readDeleted, runHandle, shardOf } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;
let other: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
  other = await startTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

/** A run that was cancelled, with an output and a log. */
async function ended(value: unknown = pair): Promise<string> {
  const { id } = await api.client.submitRun({ value });
  await api.client.cancelRun(id);
  const { names } = runHandle(api.namespace, id);
  await api.redis.hset(names.outputs, '0', '{"n":1}');
  await api.redis.hset(names.tries, '0', '2');
  const log = Buffer.concat([Buffer.alloc(8), Buffer.from('zeile ä\n')]);
  await api.redis.hset(names.logs, '0.1', log);
  return id;
}

async function exported(from: TestApi, id: string): Promise<string> {
  return (await Array.fromAsync(from.client.exportRun(id))).join('');
}

const send = (text: string, to = other): Promise<Response> =>
  fetch(to.at('/api/v1/bundles'), {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/x-ndjson' },
  });

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  // Lines come in pieces.
  for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
}

/** What a reader sees of a run, without what says where it is. */
async function look(of: TestApi, id: string): Promise<unknown> {
  const { links: _, ...run } = await of.client.getRun(id);
  const { links: __, ...task } = await of.client.getTask(id, 'first');
  return {
    ...{ run, task },
    spec: await of.client.getSpec(id),
    tasks: await of.client.getTasks(id),
    log: await of.client.getLog(id, 'first', { attempt: 1 }),
    events: (await Array.fromAsync(of.client.followEvents(id))).map(({ type, id: n }) => [type, n]),
  };
}

test('a run that is exported and imported elsewhere is the same, and can be retried', async () => {
  const id = await ended();
  const bundle = await exported(api, id);

  const imported = await other.client.importRun(bytesOf(bundle));
  const before = await look(api, id);
  const after = await look(other, id);
  const again = await exported(other, id);
  const listed = (await other.client.listRuns({ tags: ['team:data'] })).runs.map((run) => run.id);
  const { state, reset } = await other.client.retryRun(id);

  expect(imported).toMatchObject({ id, originalId: id });
  expect(after).toEqual(before);
  expect(listed).toContain(id);
  const parts = (text: string) => text.split('\n').filter((line) => line.startsWith('{"part"'));
  expect(parts(again)).toEqual(parts(bundle));
  expect([state, reset]).toEqual(['running', 2]);
});

test('other programs read its lines: the run, its spec, its tasks with all that they left', async () => {
  const id = await ended();

  const lines = (await exported(api, id)).trimEnd().split('\n');
  const [head, first, second, ...rest] = lines.map((line) =>
    z.looseObject({}).parse(JSON.parse(line)),
  );

  expect(head).toMatchObject({
    runnelBundle: 1,
    run: { id, name: 'pair', state: 'cancelled', revision: 1, taskCount: 2 },
    spec: { name: 'pair', tasks: pair.tasks },
  });
  expect(first).toMatchObject({
    task: {
      ...{ number: 0, id: 'first', state: 'cancelled', output: { n: 1 }, failures: [] },
      logs: [{ attempt: 1, droppedBytes: 0, text: 'zeile ä\n' }],
    },
  });
  expect(second).toMatchObject({ task: { id: 'second', output: null, logs: [] } });
  expect(rest.at(-1)).toMatchObject({ end: { tasks: 2, parts: rest.length - 1 } });
});

test('a spec line by line is one line of the bundle', async () => {
  const lines = ['{"name":"lines"}', '{"class":"a","id":"x",\t"executor":"noop"}'];
  const { id } = await api.client.submitRun({ lines });
  await api.client.cancelRun(id);

  const [head = ''] = (await exported(api, id)).split('\n');

  expect(JSON.parse(head)).toMatchObject({
    spec: { name: 'lines', tasks: [{ class: 'a', id: 'x', executor: 'noop' }] },
  });
});

test('where the id is taken the run gets a new one', async () => {
  const id = await ended();
  const bundle = await exported(api, id);

  const { id: newId, originalId } = await api.client.importRun(bytesOf(bundle));

  expect(originalId).toBe(id);
  expect(newId).not.toBe(id);
  const { tasks } = await api.client.getTasks(newId);
  expect(tasks.map((task) => task.id)).toEqual(['first', 'second']);
  expect((await api.client.getRun(newId)).id).toBe(newId);
});

test.each<[string, (bundle: string) => string, string]>([
  ['is cut off', (text) => text.slice(0, text.lastIndexOf('{"end"')), 'is cut off'],
  ['was changed', (text) => text.replace('"output":{"n":1}', '"output":{"n":2}'), 'checksum'],
  [
    'has a part of something else',
    (text) => text.replace(/"data":"[^"]+"/, '"data":"aGVsbG8="'),
    "the part can't be read",
  ],
  ['lacks a part', (text) => text.replace(/\{"part":0.*\n/, ''), 'checksum'],
  ['is of another version', (text) => text.replace('Bundle":1', 'Bundle":7'), 'line 1'],
  ['is no bundle', () => 'hello', 'line 1: this is no line of a bundle'],
  ['is empty', () => '', 'the bundle is empty'],
  ['is followed by another one', (text) => text + text, 'more behind the end'],
  [
    'is of a run that goes on',
    (text) => text.replaceAll('"state":"cancelled"', '"state":"running"'),
    'record.state',
  ],
])('a bundle that %s is refused, and nothing of it stays', async (_, change, told) => {
  const id = await ended();
  const bundle = await exported(api, id);

  const response = await send(change(bundle));

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: 'BUNDLE_INVALID',
    detail: expect.stringContaining(told),
  });
  expect((await other.keys()).filter((key) => key.includes(id))).toEqual([]);
});

/** The bundle with another record, whole as any. */
function withRecord(bundle: string, change: Readonly<Record<string, string>>): string {
  const lines = bundle.trimEnd().split('\n');
  const head = z
    .looseObject({ record: z.record(z.string(), z.string()) })
    .parse(JSON.parse(lines[0] ?? ''));
  const first = JSON.stringify({ ...head, record: { ...head.record, ...change } });
  return closed([first, ...lines.slice(1, -1)]);
}

/** Lines of a bundle with the end that belongs to them. */
function closed(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  const count = (start: string) => lines.filter((line) => line.startsWith(start)).length;
  const sha256 = createHash('sha256').update(text).digest('hex');
  const end = { tasks: count('{"task"'), parts: count('{"part"'), sha256 };
  return `${text}${JSON.stringify({ end })}\n`;
}

test.each<[string, Readonly<Record<string, string>>]>([
  ['queues', { queues: '999999999' }],
  ['started', { started: 'soon' }],
  ['revision', { revision: '-1' }],
  ['tags', { tags: '{"a":1}' }],
  ['tags', { tags: '{' }],
  ['name', { name: 'x'.repeat(10_000) }],
  ['priority', { priority: 'high' }],
])('a record whose %s nobody could read is refused: %j', async (field, change) => {
  const id = await ended();
  const bundle = withRecord(await exported(api, id), change);

  const response = await send(bundle);

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: 'BUNDLE_INVALID',
    detail: expect.stringContaining(`record.${field}: must`),
  });
});

test('neither the spec nor what tasks wrote has to fit in memory', async () => {
  const id = await ended();
  const [head = '', ...rest] = (await exported(api, id)).trimEnd().split('\n');
  const large = 'x'.repeat(40_000_000);
  const task = { ...z.looseObject({}).parse(JSON.parse(rest[0] ?? '')), logs: large };
  const lines = [
    JSON.stringify({ ...z.looseObject({}).parse(JSON.parse(head)), spec: { large } }),
    JSON.stringify(task),
    ...rest.slice(1, -1),
  ];

  const response = await send(closed(lines));

  expect(response.status).toBe(201);
  expect(await other.client.getSpec(id)).toMatchObject({ name: 'pair' });
});

test('lines that nobody knows yet are passed over, others are not', async () => {
  const id = await ended();
  const lines = (await exported(api, id)).trimEnd().split('\n').slice(0, -1);

  const unknown = await send(closed([...lines, '{"later":{"part":0}}']));
  const text = await send(closed([...lines, 'later']));

  expect([unknown.status, text.status]).toEqual([201, 400]);
});

test('an import ends where Redis fills up under it, and nothing of it stays', async () => {
  const id = await ended();
  const bundle = await exported(api, id);
  let now = Date.now();
  await using filling = await startTestApi(inject('redisUrl'), { clock: { now: () => now } });
  const used = Number(/used_memory:(\d+)/.exec(await filling.redis.info('memory'))?.[1]);
  async function* body(): AsyncGenerator<Uint8Array> {
    const at = bundle.indexOf('{"part"');
    yield Buffer.from(bundle.slice(0, at));
    const { names } = runHandle(filling.namespace, id);
    // It was let in, and has begun.
    await expect.poll(() => filling.redis.exists(names.meta)).toBe(1);
    // Redis itself would still take it.
    await filling.redis.config('SET', 'maxmemory', String(Math.round(used * 1.1)));
    now += 1_000;
    yield Buffer.from(bundle.slice(at));
  }
  try {
    await expect(filling.client.importRun(body())).rejects.toMatchObject({ status: 503 });
  } finally {
    await filling.redis.config('SET', 'maxmemory', '0');
  }
  expect((await filling.keys()).filter((key) => key.includes(id))).toEqual([]);
});

/** A part with this in place of the run's own. */
async function withPart(content: Buffer): Promise<string> {
  const lines = (await exported(api, await ended())).trimEnd().split('\n');
  const tasks = lines.slice(0, 3);
  const data = zstdCompressSync(content).toString('base64');
  return closed([...tasks, JSON.stringify({ part: 0, data })]);
}

const section = (key: string, texts: readonly string[]): Buffer =>
  encodeSection({ kind: 'hash', key, texts: texts.map((text) => Buffer.from(text)) });
const page = (offset: number, total: number): Buffer =>
  encodeSection({ kind: 'string', key: 'state', offset, total, bytes: Buffer.from('x') });

test.each<[string, () => Buffer, string]>([
  ['grows without end', () => Buffer.alloc(200_000_000), "can't be read"],
  ['is of another kind', () => section('state', ['0', 'x']), 'the key state is a string'],
  ['has half a field', () => section('outputs', ['0']), 'has no value'],
  ['is of no key', () => section('secrets', ['0', 'x']), 'a newer version wrote it'],
  ['is of no key of its own', () => section('constructor', ['0', 'x']), 'a newer version wrote it'],
  ['writes the record', () => section('meta', ['state', 'running']), 'a newer version wrote it'],
  ['lies far behind the others', () => page(500_000_000, 2), 'lies outside of it'],
  ['says that it is huge', () => page(0, 4_000_000_000), 'lies outside of it'],
])('a part that %s is refused, and nothing of it stays', async (_, content, told) => {
  const before = await other.keys();

  const response = await send(await withPart(content()));

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: 'BUNDLE_INVALID',
    detail: expect.stringContaining(told),
  });
  expect(await other.keys()).toEqual(before);
});

test('what a record says of ready tasks is not taken off what other runs want', async () => {
  const id = await ended();
  const bundle = withRecord(await exported(api, id), { r0: '7', i0: '3' });
  const { names } = runHandle(other.namespace, id);
  const before = await other.redis.hgetall(names.demand);

  await send(bundle);
  await other.client.deleteRun(id);

  expect(await other.redis.hgetall(names.demand)).toEqual(before);
});

test('two who import a bundle at once have a run each', async () => {
  const bundle = await exported(api, await ended());

  const [one, two] = await Promise.all([
    other.client.importRun(bytesOf(bundle)),
    other.client.importRun(bytesOf(bundle)),
  ]);

  expect(one.id).not.toBe(two.id);
  for (const { id } of [one, two]) {
    expect((await other.client.getTasks(id)).tasks).toHaveLength(2);
  }
});

test('a run that was deleted and imported again stays when it was moved to the archive', async () => {
  const id = await ended();
  const bundle = await exported(api, id);
  await api.client.deleteRun(id);
  const until = Number.MAX_SAFE_INTEGER;

  const imported = await api.client.importRun(bytesOf(bundle));
  const deleted = await readDeleted(api.redis, api.namespace, shardOf(id), until);

  expect(imported.id).toBe(id);
  expect(deleted.map((run) => run.id)).not.toContain(id);
});

test('a copy that is exported stays in Redis as long as that takes', async () => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const stepMs = 61_000;
  // As if each look at the clock took a minute.
  await using slow = await startTestApi(inject('redisUrl'), {
    clock: { now: () => (now += stepMs) },
  });
  const wide = {
    tasks: [{ class: 'a', executor: 'noop', parameters: { N: { from: 1, to: 1_000 } } }],
  };
  const { id } = await slow.client.submitRun({ value: wide });
  await slow.client.cancelRun(id);
  await using archive = await openArchive({ ...slow.settings, onError: () => undefined });
  if (archive === null) throw new Error('there is no archive');
  const { namespace, redis } = slow;
  const moving = { redis, namespace, archive, now: Date.now };
  expect(await moveRun(moving, id, Number.MAX_SAFE_INTEGER)).toBe('moved');
  await slow.client.getTasks(id);
  const { copies } = runHandle(namespace, id).names;
  const before = Number(await redis.zscore(copies, id));

  await exported(slow, id);

  // Once when it is asked for, and with each of four pages of tasks.
  expect(Number(await redis.zscore(copies, id)) - before).toBeGreaterThanOrEqual(5 * stepMs);
});

test('a run that has not ended is not exported', async () => {
  const { id } = await api.client.submitRun({ value: pair });

  const response = await fetch(api.at(`/api/v1/runs/${id}/bundle`));

  expect(response.status).toBe(409);
});
