import { failpoint } from '@runnel/core';
import { shardCount, shardKey, storeKey } from './keys.ts';
import type { RedisClient } from './script.ts';

// Runs by small numbers, for clients that know no other ids. A number is taken from a counter and then
// given, unless the run has one by then: who dies in between, or comes second, leaves a gap. No number
// is given twice, and whoever asks for a run's number gets the same one.

/** Runs that one step asks for. */
const runsPerStep = 500;

/** The number of each of these runs, in their order; null where any has none so far. */
export async function readRunNumbers(
  redis: RedisClient,
  namespace: string,
  ids: readonly string[],
): Promise<readonly number[] | null> {
  const key = storeKey(namespace, 'runNumbers');
  const numbers: number[] = [];
  for (let from = 0; from < ids.length; from += runsPerStep) {
    const known = await redis.zmscore(key, ...ids.slice(from, from + runsPerStep));
    if (known.some((number) => typeof number !== 'string')) return null;
    numbers.push(...known.map(Number));
  }
  return numbers;
}

/** The number of each of these runs, in their order; those that have none get the next ones. */
export async function numberRuns(
  redis: RedisClient,
  namespace: string,
  ids: readonly string[],
): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (let from = 0; from < ids.length; from += runsPerStep) {
    numbers.push(...(await numberSome(redis, namespace, ids.slice(from, from + runsPerStep))));
  }
  return numbers;
}

async function numberSome(
  redis: RedisClient,
  namespace: string,
  ids: readonly string[],
): Promise<readonly number[]> {
  const key = storeKey(namespace, 'runNumbers');
  const known = await redis.zmscore(key, ...ids);
  const isNew = ids.filter((_, index) => typeof known[index] !== 'string');
  if (isNew.length === 0) return known.map(Number);
  const next = await redis.incrby(storeKey(namespace, 'nextRunNumber'), isNew.length);
  const first = next - isNew.length;
  await failpoint('number.after-count');
  await redis.zadd(key, 'NX', ...isNew.flatMap((id, index) => [first + index, id]));
  return (await redis.zmscore(key, ...ids)).map(Number);
}

/** The run that has a number; null where none has. */
export async function findNumberedRun(
  redis: RedisClient,
  namespace: string,
  number: number,
): Promise<string | null> {
  const key = storeKey(namespace, 'runNumbers');
  const [id] = await redis.zrangebyscore(key, number, number, 'LIMIT', 0, 1);
  return id ?? null;
}

/** A run with its number. */
export interface NumberedId {
  readonly id: string;
  readonly number: number;
}

/** Runs that have a number, from one on, in their order; some may be gone. */
export async function listNumberedRuns(
  redis: RedisClient,
  namespace: string,
  from: number,
  limit: number,
): Promise<readonly NumberedId[]> {
  const key = storeKey(namespace, 'runNumbers');
  const raw = await redis.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, limit);
  return Array.from({ length: raw.length / 2 }, (_, index) => ({
    id: raw[index * 2] ?? '',
    number: Number(raw[index * 2 + 1]),
  }));
}

/** A run that is there, and when it was created. */
export interface ListedRun {
  readonly id: string;
  readonly createdAt: number;
}

/** Every run in Redis, oldest first. */
export async function listAllRuns(
  redis: RedisClient,
  namespace: string,
): Promise<readonly ListedRun[]> {
  const shards = [...Array(shardCount).keys()];
  const lists = await Promise.all(shards.map((shard) => listShard(redis, namespace, shard)));
  return lists.flat().sort(oldestFirst);
}

async function listShard(
  redis: RedisClient,
  namespace: string,
  shard: number,
): Promise<readonly ListedRun[]> {
  const raw = await redis.zrange(shardKey(namespace, shard, 'runs'), '0', '-1', 'WITHSCORES');
  return Array.from({ length: raw.length / 2 }, (_, index) => ({
    id: raw[index * 2] ?? '',
    createdAt: Number(raw[index * 2 + 1]),
  }));
}

function oldestFirst(a: ListedRun, b: ListedRun): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

/**
 * Forgets the numbers of runs that are gone from Redis, but of those that `known` answers: they are elsewhere.
 * Returns how many were forgotten.
 */
export async function forgetGoneNumbers(
  redis: RedisClient,
  namespace: string,
  known: (ids: readonly string[]) => Promise<readonly string[]>,
): Promise<number> {
  // First: what is numbered after this is none of what is looked at below.
  const next = Number((await redis.get(storeKey(namespace, 'nextRunNumber'))) ?? 0);
  const key = storeKey(namespace, 'runNumbers');
  const isHere = new Set((await listAllRuns(redis, namespace)).map(({ id }) => id));
  let forgotten = 0;
  for (let from = 0; from < next; from += runsPerStep) {
    const to = Math.min(next, from + runsPerStep);
    const ids = await redis.zrangebyscore(key, from, `(${to}`);
    const away = ids.filter((id) => !isHere.has(id));
    const isElsewhere = new Set(away.length === 0 ? [] : await known(away));
    const gone = away.filter((id) => !isElsewhere.has(id));
    if (gone.length > 0) forgotten += await redis.zrem(key, ...gone);
  }
  return forgotten;
}
