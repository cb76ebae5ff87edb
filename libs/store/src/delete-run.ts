import { ConflictError, failpoint, isFinalRunState, noSuchRun, runStates } from '@runnel/core';
import { keptSpecs, readyKey, revisionKey, runKeyDocs, shardKey } from './keys.ts';
import { type RunHandle, runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { removeRecord } from './scripts.ts';

/** Queues that one run may have: pools times lanes. */
const mostQueues = 64;

/** Deletes a run that has ended; throws ConflictError for any other. */
export async function deleteRun(redis: RedisClient, namespace: string, id: string): Promise<void> {
  const run = runHandle(namespace, id);
  const raw = await redis.hget(run.names.meta, 'state');
  const state = runStates.find((known) => known === raw);
  if (state === undefined) throw noSuchRun(id);
  if (!isFinalRunState(state)) {
    throw new ConflictError(`run ${id} is ${state}: cancel it before it is deleted`);
  }
  await removeRun(redis, namespace, id, { set: 'ended', until: Number.MAX_SAFE_INTEGER });
}

/** Where a run must still be found when it is removed, and since when at the latest. */
export interface Removal {
  readonly set: 'submitting' | 'ended';
  readonly until: number;
}

/**
 * Removes every key of a run and its places in the sets of its shard. False where that must not be
 * any more: between the look and this call it was sealed, started, or submitted anew under its id.
 */
export async function removeRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  { set, until }: Removal,
): Promise<boolean> {
  const run = runHandle(namespace, id);
  const ready = Array.from({ length: mostQueues }, (_, queue) => readyKey(namespace, id, queue));
  const own = Object.keys(runKeyDocs).flatMap((name) =>
    Object.entries(run.names).flatMap(([known, key]) => (known === name ? [key] : [])),
  );
  const edited = await listRevisionKeys(redis, run);
  const more = [...own, ...ready, ...edited];
  await failpoint('remove.before');
  const removed = await removeRecord.run(redis, { names: run.names, more }, [id, set, until]);
  await failpoint('remove.after');
  return removed === 1;
}

/** Of runs that were edited: specs of earlier revisions. */
async function listRevisionKeys(
  redis: RedisClient,
  { namespace, id, names }: RunHandle,
): Promise<readonly string[]> {
  const revision = Number((await redis.hget(names.meta, 'revision')) ?? 1);
  const first = Math.max(1, revision - keptSpecs - 1);
  return Array.from({ length: revision - first }, (_, index) => first + index).flatMap((number) =>
    (['spec', 'payload'] as const).map((part) =>
      revisionKey(namespace, id, { part, revision: number }),
    ),
  );
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

/** Runs of a shard that ended before a time, oldest first. */
export function readEndedBefore(
  redis: RedisClient,
  namespace: string,
  shard: number,
  time: number,
): Promise<readonly string[]> {
  return redis.zrangebyscore(shardKey(namespace, shard, 'ended'), 0, time, 'LIMIT', 0, 100);
}
