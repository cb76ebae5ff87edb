import { failpoint, isFinalRunState, noSuchRun, notEnded, runStates } from '@runnel/core';
import { readyKey, shardKey } from './keys.ts';
import { listRevisionKeys } from './revision-keys.ts';
import { runHandle } from './run-handle.ts';
import { runKeyDocs } from './run-keys.ts';
import type { RedisClient } from './script.ts';
import { removeRecord } from './scripts.ts';

/** Queues that one run may have: pools times lanes. */
export const mostQueues = 64;

/**
 * Deletes a run that has ended; throws ConflictError for any other. False where it was gone by then. `deletedAt`: it may be on its way to an
 * archive, and whoever moves it is told that it must not be in there.
 */
export async function deleteRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  deletedAt?: number,
): Promise<boolean> {
  const run = runHandle(namespace, id);
  const raw = await redis.hget(run.names.meta, 'state');
  const state = runStates.find((known) => known === raw);
  if (state === undefined) throw noSuchRun(id);
  if (!isFinalRunState(state)) throw notEnded(id, state);
  const until = Number.MAX_SAFE_INTEGER;
  const mark = deletedAt === undefined ? {} : { deletedAt };
  if (await removeRun(redis, namespace, id, { set: 'ended', until, ...mark })) return true;
  // One that was only brought back to be read.
  return await removeRun(redis, namespace, id, { set: 'copies', until });
}

/** Where a run must still be found when it is removed, and since when at the latest. */
export interface Removal {
  readonly set: 'submitting' | 'ended' | 'copies';
  readonly until: number;
  /** How it must still stand: see standOf. */
  readonly stand?: string;
  /** When somebody deleted it. */
  readonly deletedAt?: number;
}

/**
 * Removes every key of a run and its places in the sets of its shard. False where that must not be
 * any more: between the look and this call it was sealed, started, or submitted anew under its id.
 */
export async function removeRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  { set, until, stand, deletedAt }: Removal,
): Promise<boolean> {
  const run = runHandle(namespace, id);
  const ready = Array.from({ length: mostQueues }, (_, queue) => readyKey(namespace, id, queue));
  const own = Object.keys(runKeyDocs).flatMap((name) =>
    Object.entries(run.names).flatMap(([known, key]) => (known === name ? [key] : [])),
  );
  const edited = await listRevisionKeys(redis, run);
  const more = [...own, ...ready, ...edited.map(({ key }) => key)];
  await failpoint('remove.before');
  const removed = await removeRecord.run(redis, { names: run.names, more }, [
    ...[id, set, until],
    ...[stand ?? '', ...(deletedAt === undefined ? [] : [deletedAt])],
  ]);
  await failpoint('remove.after');
  return removed === 1;
}

/** Runs of a shard whose submission broke off, or that were created and never started. */
export function readAbandoned(
  redis: RedisClient,
  namespace: string,
  shard: number,
  olderThan: number,
): Promise<readonly string[]> {
  return redis.zrangebyscore(
    shardKey(namespace, shard, 'submitting'),
    0,
    olderThan,
    'LIMIT',
    0,
    100,
  );
}

/** A run that was deleted: another one may have its id by now. */
export interface DeletedRun {
  readonly id: string;
  readonly createdAt: number;
  readonly member: string;
}

/** Runs of a shard that were deleted before a time. */
export async function readDeleted(
  redis: RedisClient,
  namespace: string,
  shard: number,
  before: number,
): Promise<readonly DeletedRun[]> {
  const key = shardKey(namespace, shard, 'deleted');
  const members = await redis.zrangebyscore(key, 0, before, 'LIMIT', 0, 1_000);
  return members.map((member) => {
    const [id = '', createdAt] = member.split(' ');
    return { id, createdAt: Number(createdAt), member };
  });
}

export async function wasDeleted(
  redis: RedisClient,
  namespace: string,
  { id, createdAt }: Pick<DeletedRun, 'id' | 'createdAt'>,
): Promise<boolean> {
  const { names } = runHandle(namespace, id);
  return (await redis.zscore(names.deleted, `${id} ${createdAt}`)) !== null;
}

/** Forgets that runs were deleted. */
export async function forgetDeleted(
  redis: RedisClient,
  namespace: string,
  shard: number,
  runs: readonly DeletedRun[],
): Promise<void> {
  const members = runs.map(({ member }) => member);
  if (members.length > 0) await redis.zrem(shardKey(namespace, shard, 'deleted'), ...members);
}

/** Copies of archived runs that nobody has read for a while. */
export function readExpiredCopies(
  redis: RedisClient,
  namespace: string,
  shard: number,
  now: number,
): Promise<readonly string[]> {
  return redis.zrangebyscore(shardKey(namespace, shard, 'copies'), 0, now, 'LIMIT', 0, 100);
}

/** Runs of a shard that ended before a time, oldest first. */
export function readEndedBefore(
  redis: RedisClient,
  namespace: string,
  shard: number,
  time: number,
): Promise<readonly string[]> {
  return redis.zrangebyscore(shardKey(namespace, shard, 'ended'), 0, time, 'LIMIT', 0, 100);
}
