import { type Archive, openArchive } from '@runnel/archive';
import type { ListRunsQuery } from '@runnel/client';
import { moveRun } from '@runnel/engine';
import { connectRedis, type RedisClient } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;
let archive: Archive;
let redis: RedisClient;
let now = Date.parse('2030-01-01T00:00:00Z');

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), { clock: { now: () => now } });
  redis = connectRedis(inject('redisUrl'), () => undefined);
  const opened = await openArchive({ ...api.settings, onError: () => undefined });
  if (opened === null) throw new Error('there is no archive');
  archive = opened;
  // Every other one in the archive.
  await create({ name: 'Load of Oslo', tags: { team: 'data', env: 'test' } }, true);
  await create({ name: 'load of Bergen', tags: { team: 'data', env: 'live' } }, false);
  await create({ name: 'check', tags: { team: 'dawn', env: 'test' } }, true);
  await create({ name: 'check', tags: { team: 'ops' } }, false);
  await create({ tags: { 'a b/c': 'x*y:z' } }, true);
});
afterAll(async () => {
  redis.disconnect();
  await archive[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

const ids: string[] = [];

async function create(spec: Readonly<Record<string, unknown>>, isMoved: boolean): Promise<void> {
  now += 3_600_000;
  const value = { ...spec, tasks: [{ class: 'a', executor: 'noop' }] };
  const { id } = await api.client.submitRun({ value });
  await api.client.cancelRun(id);
  const context = { redis, namespace: api.namespace, archive, now: Date.now };
  if (isMoved) expect(await moveRun(context, id, Number.MAX_SAFE_INTEGER)).toBe('moved');
  ids.push(id);
}

/** Numbers of the runs that are found, newest first. */
async function find(query: ListRunsQuery): Promise<readonly number[]> {
  const { runs } = await api.client.listRuns(query);
  return runs.map((run) => ids.indexOf(run.id));
}

const day = (hour: number): Date => new Date(Date.parse('2030-01-01T00:00:00Z') + hour * 3_600_000);

test.each<[string, ListRunsQuery, readonly number[]]>([
  ['nothing', {}, [4, 3, 2, 1, 0]],
  ['a tag', { tags: ['team:data'] }, [1, 0]],
  ['how a tag begins', { tags: ['team:da*'] }, [2, 1, 0]],
  ['the key of a tag', { tags: ['team'] }, [3, 2, 1, 0]],
  ['several tags', { tags: ['team:da*', 'env:test'] }, [2, 0]],
  ['tags that none has', { tags: ['team:data', 'team:ops'] }, []],
  ['a tag with strange letters', { tags: ['a b/c:x*y:z'] }, [4]],
  ['a name', { name: 'check' }, [3, 2]],
  ['a part of a name', { text: 'LOAD' }, [1, 0]],
  ['a state', { state: 'cancelled' }, [4, 3, 2, 1, 0]],
  ['a state that none is in', { state: 'failed' }, []],
  ['times of creation', { since: day(2), until: day(3) }, [2, 1]],
  ['times of an end', { endedSince: day(4), endedUntil: day(4) }, [3]],
  ['all at once', { tags: ['team'], text: 'check', state: 'cancelled', since: day(4) }, [3]],
])('runs are found by %s, wherever they are', async (_, query, found) => {
  expect(await find(query)).toEqual(found);
});

test('pages of a search go through both', async () => {
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const from = cursor === null ? {} : { cursor };
    const page = await api.client.listRuns({ tags: ['team'], limit: 1, ...from });
    seen.push(...page.runs.map((run) => ids.indexOf(run.id)));
    cursor = page.next;
  } while (cursor !== null);

  expect(seen).toEqual([3, 2, 1, 0]);
});

test('keys and values of tags are listed with their runs', async () => {
  expect(await api.client.listTags()).toEqual([
    { value: 'a b/c', runs: 1 },
    { value: 'env', runs: 3 },
    { value: 'team', runs: 4 },
  ]);
  expect(await api.client.listTags({ key: 'team' })).toEqual([
    { value: 'data', runs: 2 },
    { value: 'dawn', runs: 1 },
    { value: 'ops', runs: 1 },
  ]);
  expect(await api.client.listTags({ key: 'team', prefix: 'o' })).toHaveLength(1);
  expect(await api.client.listTags({ key: 'a b/c' })).toEqual([{ value: 'x*y:z', runs: 1 }]);
  expect(await api.client.listTags({ key: 'none' })).toEqual([]);
});

test('what a run is found by changes with it', async () => {
  const { id } = await api.client.submitRun({
    value: { tags: { changing: 'x' }, tasks: [{ class: 'a', executor: 'noop' }] },
  });
  const states = async () => {
    const each = (['running', 'paused', 'cancelled'] as const).map(async (state) => {
      const { runs } = await api.client.listRuns({ tags: ['changing:x'], state });
      return runs.length;
    });
    return await Promise.all(each);
  };
  const running = await states();
  await api.client.pauseRun(id);
  const paused = await states();
  await api.client.cancelRun(id);
  const cancelled = await states();
  now += 1_000;
  await api.client.retryRun(id);
  const retried = await states();

  expect([running, paused, cancelled, retried]).toEqual([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
  ]);
});

test.each([
  ['nothing', ''],
  ['text', 'not base64 at all'],
  ['another list', Buffer.from('[7]').toString('base64url')],
  ['no time', Buffer.from('[1e300,"a"]').toString('base64url')],
  ['half a time', Buffer.from('[1.5,"a"]').toString('base64url')],
  ['no id', Buffer.from('[1,"a\\u0000\'b"]').toString('base64url')],
])('a cursor that somebody made of %s is refused', async (_, cursor) => {
  const response = await fetch(api.at(`/api/v1/runs?cursor=${encodeURIComponent(cursor)}`));

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining('cursor') });
});

test('a wrong query says what is wrong', async () => {
  const response = await fetch(api.at('/api/v1/runs?tagg=x&endedSince=yesterday'));

  expect(response.status).toBe(400);
  const { detail } = (await response.json()) as { detail: string };
  expect(detail).toContain('there is no parameter tagg');
  expect(detail).toContain('endedSince: must be a time such as');
});
