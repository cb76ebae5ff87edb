import { SetupError } from '@runnel/core';
import { shardCount, shardKey, storeKey } from './keys.ts';
import { releaseLease, takeLease } from './lease.ts';
import type { RedisClient } from './script.ts';

const layoutVersion = 1;

/** Writes what the store is when it is new, and refuses a store of another layout. */
export async function openStore(redis: RedisClient, namespace: string): Promise<void> {
  const key = storeKey(namespace, 'store');
  await redis.hsetnx(key, 'version', String(layoutVersion));
  await redis.hsetnx(key, 'shards', String(shardCount));
  const { version, shards } = await redis.hgetall(key);
  if (Number(version) === layoutVersion && Number(shards) === shardCount) return;
  throw new SetupError(
    `the store "${namespace}" has layout ${version} with ${shards} shards; this version reads layout ` +
      `${layoutVersion} with ${shardCount}: use another namespace (RUNNEL_NAMESPACE) or the version that made it`,
  );
}

/** A listener that stops renewing loses its shards after this. Correctness never rests on it. */
export const leaseMs = 5_000;

/** Takes or renews the lease of a shard. */
export function leaseShard(
  redis: RedisClient,
  namespace: string,
  shard: number,
  owner: string,
): Promise<boolean> {
  return takeLease(redis, shardKey(namespace, shard, 'lease'), owner, leaseMs);
}

/** Lets another listener have the shard at once. */
export function freeShard(
  redis: RedisClient,
  namespace: string,
  shard: number,
  owner: string,
): Promise<void> {
  return releaseLease(redis, shardKey(namespace, shard, 'lease'), owner);
}

/** Runs that have started and not ended, oldest first. */
export function readActiveRuns(
  redis: RedisClient,
  namespace: string,
  shard: number,
): Promise<readonly string[]> {
  return redis.zrange(shardKey(namespace, shard, 'active'), '0', '-1');
}

/** Runs that have ready tasks or deliveries in a queue, by their priority. */
export type Demand = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** The demand of all shards, by queue. */
export async function readDemand(redis: RedisClient, namespace: string): Promise<Demand> {
  const shards = [...Array(shardCount).keys()];
  const each = await Promise.all(
    shards.map((shard) => redis.hgetall(shardKey(namespace, shard, 'demand'))),
  );
  const demand = new Map<string, Map<number, number>>();
  for (const [field, runs] of each.flatMap((one) => Object.entries(one))) {
    const [queue = '', priority] = field.split('@');
    const byPriority = demand.get(queue) ?? new Map<number, number>();
    demand.set(queue, byPriority);
    byPriority.set(Number(priority), (byPriority.get(Number(priority)) ?? 0) + Number(runs));
  }
  return demand;
}

/** A task whose delay is over. */
export interface DueTask {
  readonly member: string;
  readonly runId: string;
  readonly id: number;
}

/** What is due in a shard, oldest first, and when the next is (null: nothing waits). */
export async function readDue(
  redis: RedisClient,
  namespace: string,
  shard: number,
  request: { readonly now: number; readonly count: number },
): Promise<readonly DueTask[]> {
  const key = shardKey(namespace, shard, 'times');
  const members = await redis.zrangebyscore(key, 0, request.now, 'LIMIT', 0, request.count);
  return members.map((member) => {
    const [, runId = '', id = '0'] = member.split(':');
    return { member, runId, id: Number(id) };
  });
}

/** Takes times of runs that no longer exist out of the set. */
export async function dropTimes(
  redis: RedisClient,
  namespace: string,
  shard: number,
  members: readonly string[],
): Promise<void> {
  if (members.length > 0) await redis.zrem(shardKey(namespace, shard, 'times'), ...members);
}

/** A listener that gave no sign for so long no longer counts when the shards are shared out. */
const listenerGoneMs = 5_000;

/** Says that a listener is alive; returns how many are, itself included. */
export async function signOnListener(
  redis: RedisClient,
  namespace: string,
  name: string,
  now: number,
): Promise<number> {
  const key = storeKey(namespace, 'listeners');
  await redis.zadd(key, now, name);
  await redis.zremrangebyscore(key, 0, now - listenerGoneMs);
  return Math.max(1, await redis.zcard(key));
}

export async function signOffListener(
  redis: RedisClient,
  namespace: string,
  name: string,
): Promise<void> {
  await redis.zrem(storeKey(namespace, 'listeners'), name);
}
