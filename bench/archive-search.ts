// Measures searches over runs in the archive and in Redis, through the HTTP API:
//
//   node bench/archive-search.ts [archived runs, 1000000] [live runs, 10000] [searches of each kind, 200]
//
// With RUNNEL_BENCH_ARCHIVE, a folder with the file of an earlier measurement, that is taken.
// It starts a Redis and an api of its own in a folder that is removed at the end.
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchivedRun, sqlitePath } from '@runnel/archive';
import { keepMany } from '@runnel/archive/keep-many';
import { createClient, type ListRunsQuery } from '@runnel/client';
import { startEmbeddedRedis } from '@runnel/service';
import { connectRedis, haltPage } from '@runnel/store';
import { StoreDriver } from '@runnel/store/store-driver';
import { plainNode as node, planOf, Stack } from '@runnel/testing';
import { readMachine, readVersions } from './machine.ts';

const [archivedCount = 1_000_000, liveCount = 10_000, searches = 200] = process.argv
  .slice(2)
  .map(Number);
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const newest = Date.parse('2030-01-01T00:00:00Z');
const namespace = 'runnel';

/** Numbers that look random and are the same each time. */
function scatter(n: number): number {
  return (Math.imul(n ^ 0x9e3779b9, 0x85ebca6b) >>> 8) / 2 ** 24;
}

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[Math.floor(scatter(n) * list.length)];
}

const teams = Array.from({ length: 40 }, (_, n) => `${n % 2 === 0 ? 'data' : 'ops'}-${n}`);
const names = Array.from({ length: 5_000 }, (_, n) => `load ${n} of ${pick(teams, n)}`);

function* archivedRuns(): Generator<ArchivedRun> {
  for (let n = 0; n < archivedCount; n++) {
    const createdAt = newest - n * 5_000;
    const state = n % 20 === 0 ? 'failed' : n % 997 === 0 ? 'cancelled' : 'succeeded';
    const name = pick(names, n) ?? '';
    const tags: Record<string, string> = {
      team: pick(teams, n + 7) ?? '',
      env: n % 3 === 0 ? 'test' : 'live',
      day: new Date(createdAt).toISOString().slice(0, 10),
      ...(n % 10_000 === 17 ? { rare: `r${n}` } : {}),
    };
    const id = `a${String(archivedCount - n).padStart(9, '0')}`;
    const endedAt = createdAt + 60_000;
    yield {
      ...{ id, name, tags, state, createdAt, startedAt: createdAt, endedAt, taskCount: 12 },
      ...{ priority: 0, revision: 1, classes: null },
      record: recordOf({ id, name, tags, state, createdAt, endedAt }),
    };
  }
}

function recordOf(run: {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly state: string;
  readonly createdAt: number;
  readonly endedAt: number;
}): Readonly<Record<string, string>> {
  const { id, name, state } = run;
  return {
    ...{ v: '1', id, state, name, tags: JSON.stringify(run.tags), n: '12', barriers: '0' },
    ...{ created: String(run.createdAt), started: String(run.createdAt), groups: '2', edges: '20' },
    ...{
      ended: String(run.endedAt),
      queues: '1',
      q0: 'default',
      fin: '12',
      c2: '12',
      priority: '0',
    },
    ...{ submitToken: `${id}-2f1c-4e5b-9a77`, bodyHash: id, onFailure: 'continue', events: '20' },
  };
}

const { RUNNEL_BENCH_ARCHIVE: existing } = process.env;
async function makeLive(redisUrl: string): Promise<void> {
  const redis = connectRedis(redisUrl, () => undefined);
  for (let n = 0; n < liveCount; n++) {
    const { run } = await StoreDriver.submit(redis, namespace, planOf([node]), { meanUs: 0 });
    await haltPage(redis, run, 'cancel', newest + n);
    const tags = JSON.stringify({ team: pick(teams, n), env: 'live' });
    await redis.hset(run.names.meta, { created: newest + n, tags, name: pick(names, n) ?? '' });
    await redis.zadd(run.names.runs, newest + n, run.id);
  }
  redis.disconnect();
}

const kinds: Readonly<Record<string, (n: number) => ListRunsQuery>> = {
  'newest first': () => ({}),
  'a tag': (n) => ({ tags: [`team:${pick(teams, n)}`] }),
  'how a tag begins': () => ({ tags: ['team:data*'] }),
  'two tags': (n) => ({ tags: [`team:${pick(teams, n)}`, 'env:test'] }),
  'a rare tag': () => ({ tags: ['rare'] }),
  'a tag that none has': () => ({ tags: ['team:none'] }),
  'a tag and a state': (n) => ({ tags: [`team:${pick(teams, n)}`], state: 'failed' }),
  'a name': (n) => ({ name: pick(names, n) ?? '' }),
  'a part of a name': (n) => ({ text: `load ${Math.floor(scatter(n) * 5_000)} ` }),
  'a common part of a name': () => ({ text: 'ops' }),
  'a state': () => ({ state: 'failed' }),
  'times of creation': (n) => ({
    until: new Date(newest - Math.floor(scatter(n) * archivedCount) * 5_000),
  }),
  'times of an end': (n) => {
    const end = newest - Math.floor(scatter(n) * archivedCount) * 5_000;
    return { endedSince: new Date(end - 3_600_000), endedUntil: new Date(end) };
  },
};

const dir = mkdtempSync(join(tmpdir(), 'runnel-bench-'));
const redis = await startEmbeddedRedis({ memory: true });
try {
  say(JSON.stringify({ ...readMachine(), ...readVersions() }));
  const from = performance.now();
  const path = sqlitePath({ archive: 'sqlite', dataDir: join(dir, 'data'), namespace });
  if (existing === undefined) await keepMany(path, archivedRuns());
  else cpSync(existing, join(dir, 'data/archive'), { recursive: true });
  const seconds = ((performance.now() - from) / 1_000).toFixed(0);
  const megabytes = (statSync(path).size / 1_048_576).toFixed(0);
  say(`${archivedCount} archived runs in ${seconds} s, ${megabytes} MB`);
  await makeLive(redis.url);
  say(`${liveCount} live runs`);
  const env = { RUNNEL_DATA: join(dir, 'data'), RUNNEL_NAMESPACE: namespace };
  await using stack = await Stack.start({
    ...{ redisUrl: redis.url, api: true, listeners: 0, workers: 0, env },
  });
  const client = createClient({ url: stack.apiUrl });
  for (const queryOf of Object.values(kinds)) await client.listRuns(queryOf(1));
  say('search                      found   p50 ms   p99 ms   most ms');
  for (const [kind, queryOf] of Object.entries(kinds)) {
    const times: number[] = [];
    let found = 0;
    for (let n = 0; n < searches; n++) {
      const start = performance.now();
      const page = await client.listRuns(queryOf(n));
      times.push(performance.now() - start);
      found += page.runs.length;
    }
    times.sort((a, b) => a - b);
    const at = (part: number): string =>
      (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0)
        .toFixed(1)
        .padStart(9);
    const mean = (found / searches).toFixed(1).padStart(7);
    say(`${kind.padEnd(25)}${mean}${at(0.5)}${at(0.99)}${at(1)}`);
  }
} finally {
  await redis[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
}
