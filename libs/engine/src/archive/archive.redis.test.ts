import type { Archive, ArchivedCopy } from '@runnel/archive';
import { armFailpoints, type Failpoint } from '@runnel/core';
import {
  connectRedis,
  deleteRun,
  keepRun,
  type RedisClient,
  readExpiredCopies,
  readRun,
  removeRun,
  runHandle,
  runKeyDocs,
  shardOf,
  standOf,
  touchCopy,
  writeLog,
} from '@runnel/store';
import { afterEach, beforeAll, expect, inject, test } from 'vitest';
import { contentsOf, endedRun, largeRun, openTestArchive } from './archive.test-kit.ts';
import { type MoveContext, moveRun } from './move-run.ts';
import { copyStaysMs, takeBack } from './take-back.ts';

let redis: RedisClient;
let count = 0;
const until = Number.MAX_SAFE_INTEGER;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
  return async () => {
    await redis.quit();
  };
});
afterEach(() => armFailpoints(undefined));

function contextOf(archive: Archive): MoveContext {
  return { redis, namespace: `archive${++count}`, archive, now: () => 1_000 };
}

async function found(archive: Archive, id: string): Promise<ArchivedCopy> {
  const copy = await archive.read(id);
  if (copy === null) throw new Error('the archive has no such run');
  return copy;
}

/** What a run was, without what marks it as a copy. */
async function asItWas(context: MoveContext, id: string): Promise<unknown> {
  const {
    meta,
    copies: _,
    runs: __,
    ended: ___,
    ...keys
  } = await contentsOf(redis, context.namespace, id);
  const { archived: ____, copyToken: _____, ...record } = meta as Record<string, string>;
  return { ...keys, record };
}

test('every key that outlives a run is of a kind that can be moved', () => {
  const kept = Object.entries(runKeyDocs).filter(
    ([, { lifetime }]) => lifetime === 'until the run is deleted',
  );

  const kinds = new Set(kept.map(([, { type }]) => type));
  expect([...kinds].sort()).toEqual(['hash', 'list', 'stream', 'string']);
});

test('a moved run leaves nothing in Redis, and comes back as it was', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  const before = await asItWas(context, id);

  const moved = await moveRun(context, id, until);
  const left = await contentsOf(redis, context.namespace, id);
  const run = await found(archive, id);
  await takeBack(context, run);

  expect(moved).toBe('moved');
  expect(left).toEqual({});
  expect(run.run).toMatchObject({ id, state: 'succeeded', taskCount: 3, createdAt: 1 });
  expect(await asItWas(context, id)).toEqual(before);
  const { facts, isArchived, counts } = await readRun(redis, context.namespace, id);
  expect([facts.nodeCount, isArchived, counts.succeeded]).toEqual([3, true, 3]);
});

test('a run of many parts comes back as it was', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await largeRun(redis, context.namespace, 60_000);
  const before = await asItWas(context, id);

  await moveRun(context, id, until);
  const run = await found(archive, id);
  await takeBack(context, run);

  expect(run.partCount).toBeGreaterThan(2);
  expect(run.run.state).toBe('cancelled');
  expect(await asItWas(context, id)).toEqual(before);
});

test.each<Failpoint>([
  'archive.before-copy',
  'archive.after-part',
  'archive.before-seal',
  'archive.after-seal',
  'remove.before',
  'remove.after',
])('a move that breaks off at %s is made whole by the next one', async (point) => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await largeRun(redis, context.namespace, 40_000);
  const before = await asItWas(context, id);
  armFailpoints(`${point}=error`);

  await expect(moveRun(context, id, until)).rejects.toThrow(`failpoint ${point}`);
  armFailpoints(undefined);
  await moveRun(context, id, until);

  expect(await contentsOf(redis, context.namespace, id)).toEqual({});
  expect((await archive.find({ limit: 10 })).runs.map((run) => run.id)).toEqual([id]);
  await takeBack(context, await found(archive, id));
  expect(await asItWas(context, id)).toEqual(before);
});

test('a move that broke off behind the seal does not copy again', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  armFailpoints('archive.after-seal=error');
  await moveRun(context, id, until).catch(() => undefined);
  armFailpoints(undefined);
  const first = await found(archive, id);

  await moveRun(context, id, until);

  expect((await found(archive, id)).copy).toBe(first.copy);
});

/** The archive, with something that happens just before a copy is sealed. */
function beforeSeal(archive: Archive, happen: () => Promise<unknown>): Archive {
  return {
    ...archive,
    async seal(...args) {
      await happen();
      return await archive.seal(...args);
    },
  };
}

test('a run whose last log comes while it is copied stays, and is copied anew', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  const run = runHandle(context.namespace, id);
  const log = { task: 2, attempt: 1, droppedBytes: 0, tail: Buffer.from('late') };
  const writeLate = () => writeLog(redis, run, { ...log, runCapBytes: 1_000_000 });

  const first = await moveRun({ ...context, archive: beforeSeal(archive, writeLate) }, id, until);
  const isStillThere = (await readRun(redis, context.namespace, id)).isArchived === false;
  const second = await moveRun(context, id, until);

  expect([first, isStillThere, second]).toEqual(['changed', true, 'moved']);
  await takeBack(context, await found(archive, id));
  expect(await redis.hget(run.names.logs, '2.1')).toContain('late');
});

test('a run that is deleted while it is copied does not come back', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  const remove = () => deleteRun(redis, context.namespace, id, 1_000);

  const moved = await moveRun({ ...context, archive: beforeSeal(archive, remove) }, id, until);

  expect(moved).toBe('changed');
  expect(await archive.read(id)).toBeNull();
});

test('a run whose removal was carried out, and its reply lost, stays in the archive', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  const { names } = runHandle(context.namespace, id);
  const stand = standOf(await redis.hgetall(names.meta));
  // As a command that is sent again finds it.
  const removeFirst = () => removeRun(redis, context.namespace, id, { set: 'ended', until, stand });
  const sealing: Archive = {
    ...archive,
    async seal(...args) {
      const sealed = await archive.seal(...args);
      await removeFirst();
      return sealed;
    },
  };

  await moveRun({ ...context, archive: sealing }, id, until);

  expect(await contentsOf(redis, context.namespace, id)).toEqual({});
  expect(await archive.read(id)).not.toBeNull();
});

test('two who move a run at once leave one of it', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await largeRun(redis, context.namespace, 40_000);
  const before = await asItWas(context, id);

  const moves = [moveRun(context, id, until), moveRun(context, id, until)];
  // Whoever comes last may find it gone while it reads.
  const moved = await Promise.allSettled(moves);

  expect(moved.some((one) => one.status === 'fulfilled' && one.value === 'moved')).toBe(true);
  expect((await archive.find({ limit: 10 })).runs.map((run) => run.id)).toEqual([id]);
  await takeBack(context, await found(archive, id));
  expect(await asItWas(context, id)).toEqual(before);
});

test('two who bring a run back at once do not get into each other', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await largeRun(redis, context.namespace, 40_000);
  const before = await asItWas(context, id);
  await moveRun(context, id, until);
  const run = await found(archive, id);

  const brought = await Promise.all([takeBack(context, run), takeBack(context, run)]);

  expect([...brought].sort()).toEqual([false, true]);
  expect(await asItWas(context, id)).toEqual(before);
});

test.each<Failpoint>(['take-back.after-create', 'take-back.before-open', 'submit.after-page'])(
  'a copy of somebody who died at %s is none, and is removed as a submission is',
  async (point) => {
    await using archive = await openTestArchive();
    const context = contextOf(archive);
    const id = await endedRun(redis, context.namespace);
    const before = await asItWas(context, id);
    await moveRun(context, id, until);
    const run = await found(archive, id);
    // Who dies removes nothing.
    armFailpoints(`${point}=error,remove.before=error`);
    await expect(takeBack(context, run)).rejects.toThrow(`failpoint ${point}`);
    armFailpoints(undefined);
    const broken = await readRun(redis, context.namespace, id);

    await removeRun(redis, context.namespace, id, { set: 'submitting', until });
    const left = await contentsOf(redis, context.namespace, id);
    await takeBack(context, run);

    expect([broken.state, broken.isArchived]).toEqual(['submitting', true]);
    expect(left).toEqual({});
    expect(await asItWas(context, id)).toEqual(before);
  },
);

test('a copy that fails half way leaves nothing, and can be brought at once', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await largeRun(redis, context.namespace, 60_000);
  const before = await asItWas(context, id);
  await moveRun(context, id, until);
  const run = await found(archive, id);
  let reads = 0;
  const breaking: Archive = {
    ...archive,
    readParts: (...args) => {
      if (++reads > 1) return Promise.reject(new Error('the archive is away'));
      return archive.readParts(...args);
    },
  };

  await expect(takeBack({ ...context, archive: breaking }, run)).rejects.toThrow('is away');
  const left = await contentsOf(redis, context.namespace, id);
  const isBrought = await takeBack(context, run);

  expect([left, isBrought]).toEqual([{}, true]);
  expect(await asItWas(context, id)).toEqual(before);
});

test('who fails does not remove what another one brings meanwhile', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const id = await endedRun(redis, context.namespace);
  await moveRun(context, id, until);
  const run = await found(archive, id);
  // A janitor takes the first for abandoned, and a second one brings it.
  const overtaken: Archive = {
    ...archive,
    async readParts(...args) {
      await removeRun(redis, context.namespace, id, { set: 'submitting', until });
      expect(await takeBack(context, run)).toBe(true);
      return await archive.readParts(...args);
    },
  };

  await expect(takeBack({ ...context, archive: overtaken }, run)).rejects.toMatchObject({
    name: 'ConflictError',
  });

  expect((await readRun(redis, context.namespace, id)).state).toBe('succeeded');
});

test('a copy goes some time after it was last read, and not before', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const { namespace } = context;
  const id = await endedRun(redis, namespace);
  await moveRun(context, id, until);
  await takeBack(context, await found(archive, id));
  const end = 1_000 + copyStaysMs;

  const before = await readExpiredCopies(redis, namespace, shardOf(id), end - 1);
  const atEnd = await readExpiredCopies(redis, namespace, shardOf(id), end);
  await touchCopy(redis, namespace, id, end + 5);
  await touchCopy(redis, namespace, id, 1);
  const isGoneEarly = await removeRun(redis, namespace, id, { set: 'copies', until: end });
  const isGone = await removeRun(redis, namespace, id, { set: 'copies', until: end + 5 });

  expect([before, atEnd]).toEqual([[], [id]]);
  expect([isGoneEarly, isGone]).toEqual([false, true]);
  expect(await contentsOf(redis, namespace, id)).toEqual({});
});

test('a copy that is kept is a run as any other, and is moved again', async () => {
  await using archive = await openTestArchive();
  const context = contextOf(archive);
  const { namespace } = context;
  const id = await endedRun(redis, namespace);
  const before = await contentsOf(redis, namespace, id);
  await moveRun(context, id, until);
  const first = await found(archive, id);
  await takeBack(context, first);

  await keepRun(redis, namespace, id, 77);
  await keepRun(redis, namespace, id, 78);
  const kept = await contentsOf(redis, namespace, id);
  const moved = await moveRun(context, id, until);

  expect(kept).toEqual({ ...before, ended: '77' });
  expect(moved).toBe('moved');
  // It had not changed.
  expect((await found(archive, id)).copy).toBe(first.copy);
});

test('a run is removed only while it stands as it did', async () => {
  const namespace = `archive${++count}`;
  const id = await endedRun(redis, namespace);
  const { names } = runHandle(namespace, id);
  const stand = standOf(await redis.hgetall(names.meta));
  await redis.hincrby(names.meta, 'events', 1);

  const isGone = await removeRun(redis, namespace, id, { set: 'ended', until, stand });

  expect(isGone).toBe(false);
  expect((await readRun(redis, namespace, id)).state).toBe('succeeded');
});
