import { ConflictError, failpoint, isFinalRunState, NotFoundError, runStates } from '@runnel/core';
import { readyKey, runKeyDocs, shardKey } from './keys.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { removeRecord } from './scripts.ts';

/** Queues that one run may have: pools times lanes. */
const mostQueues = 64;

/** Deletes a run that has ended; throws ConflictError for any other. */
export async function deleteRun(redis: RedisClient, namespace: string, id: string): Promise<void> {
  const run = runHandle(namespace, id);
  const raw = await redis.hget(run.names.meta, 'state');
  const state = runStates.find((known) => known === raw);
  if (state === undefined)
    throw new NotFoundError(`there is no run ${id}; it may have been deleted`);
  if (!isFinalRunState(state)) {
    throw new ConflictError(`run ${id} is ${state}: cancel it before it is deleted`);
  }
  await removeRun(redis, namespace, id);
}

/** Removes every key of a run and its places in the sets of its shard; again does no harm. */
export async function removeRun(redis: RedisClient, namespace: string, id: string): Promise<void> {
  const run = runHandle(namespace, id);
  const ready = Array.from({ length: mostQueues }, (_, queue) => readyKey(namespace, id, queue));
  const own = Object.keys(runKeyDocs).flatMap((name) =>
    Object.entries(run.names).flatMap(([known, key]) => (known === name ? [key] : [])),
  );
  await removeRecord.run(redis, run.keys, [id]);
  await failpoint('remove.after-meta');
  await redis.unlink(...own, ...ready);
  await redis.zrem(run.names.submitting, id);
}

/** Runs of a shard whose submission or removal broke off, or that were created and never started. */
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
