import { shardCount, shardKey, shardOf, storeKey } from '../keys.ts';
import { runHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

/** A shard's own keys, as they stand. */
export interface ShardAudit {
  readonly shard: number;
  /** The listener that owns it; null: none. */
  readonly owner: string | null;
  /** The oldest entry of the outcomes stream; null: none. */
  readonly oldestEntry: string | null;
  readonly demand: Readonly<Record<string, string>>;
  readonly active: readonly string[];
  readonly submitting: readonly string[];
  readonly deadLetters: readonly DeadLetter[];
  /** Times that are long over. */
  readonly overdue: readonly string[];
}

export interface DeadLetter {
  readonly entryId: string;
  readonly runId: string;
  readonly reason: string;
}

/** Dead letters and overdue times that are told of one shard at most. */
const mostTold = 100;

export async function readShardAudit(
  redis: RedisClient,
  namespace: string,
  shard: number,
  overdueBefore: number,
): Promise<ShardAudit> {
  const key = (name: Parameters<typeof shardKey>[2]): string => shardKey(namespace, shard, name);
  const [owner, oldest, demand, active, submitting, dead, overdue] = await Promise.all([
    redis.get(key('lease')),
    redis.xrange(key('outcomes'), '-', '+', 'COUNT', 1),
    redis.hgetall(key('demand')),
    redis.zrange(key('active'), '0', '-1'),
    redis.zrange(key('submitting'), '0', '-1'),
    redis.xrevrange(key('deadLetters'), '+', '-', 'COUNT', mostTold),
    redis.zrangebyscore(key('times'), 0, overdueBefore, 'LIMIT', 0, mostTold),
  ]);
  return {
    ...{ shard, owner, demand, active, submitting, overdue },
    oldestEntry: oldest[0]?.[0] ?? null,
    deadLetters: dead.map(([entryId, fields]) => ({
      entryId,
      runId: fieldOf(fields, 'r'),
      reason: fieldOf(fields, 'reason'),
    })),
  };
}

function fieldOf(fields: readonly string[], name: string): string {
  const at = fields.findIndex((field, index) => index % 2 === 0 && field === name);
  return at < 0 ? '' : (fields[at + 1] ?? '');
}

/** Shards whose listeners gave a sign since then. */
export async function readListeners(
  redis: RedisClient,
  namespace: string,
  since: number,
): Promise<readonly string[]> {
  return redis.zrangebyscore(storeKey(namespace, 'listeners'), since, '+inf');
}

/** Where a run is, and where its state says that it should be. */
export interface RunPlaces {
  readonly id: string;
  /** Null: there is no such run. */
  readonly state: string | null;
  readonly priority: string;
  /** Its queues with deliveries in flight or, unless it is paused, ready tasks. */
  readonly wanted: readonly string[];
  readonly sets: readonly RunSet[];
}

export const runSets = ['runs', 'submitting', 'active', 'ended'] as const;
export type RunSet = (typeof runSets)[number];

/** Several runs of one shard, each read by itself. */
export async function readRunPlaces(
  redis: RedisClient,
  namespace: string,
  ids: readonly string[],
): Promise<readonly RunPlaces[]> {
  return Promise.all(
    ids.map(async (id) => {
      const run = runHandle(namespace, id);
      const [meta, ...scores] = await Promise.all([
        redis.hgetall(run.names.meta),
        ...runSets.map((set) => redis.zscore(run.names[set], id)),
      ]);
      const queues = Array.from({ length: Number(meta['queues'] ?? 0) }, (_, queue) => queue);
      const isPaused = meta['pausedAt'] !== undefined;
      return {
        id,
        state: meta['state'] ?? null,
        priority: meta['priority'] ?? '0',
        wanted: queues.flatMap((queue) =>
          Number(meta[`i${queue}`] ?? 0) + (isPaused ? 0 : Number(meta[`r${queue}`] ?? 0)) > 0
            ? [meta[`q${queue}`] ?? '']
            : [],
        ),
        sets: runSets.filter((_, index) => scores[index] !== null),
      };
    }),
  );
}

/** The newest runs of a shard, whatever their state. */
export function readNewestRuns(
  redis: RedisClient,
  namespace: string,
  shard: number,
  count: number,
): Promise<readonly string[]> {
  return redis.zrange(shardKey(namespace, shard, 'runs'), '0', String(count - 1), 'REV');
}

export function allShards(): readonly number[] {
  return [...Array(shardCount).keys()];
}

/** When each of these tasks is due; null: it waits for no time. */
export async function readTimesOf(
  redis: RedisClient,
  namespace: string,
  runId: string,
  ids: readonly number[],
): Promise<readonly (string | null)[]> {
  if (ids.length === 0) return [];
  const key = shardKey(namespace, shardOf(runId), 'times');
  return redis.zmscore(key, ...ids.map((id) => `retry:${runId}:${id}`));
}

/** How long the oldest entry of a shard's outcomes has been there, by the clock of Redis; null: none is. */
export async function readOldestOutcomeAge(
  redis: RedisClient,
  namespace: string,
  shard: number,
): Promise<number | null> {
  const oldest = await redis.xrange(shardKey(namespace, shard, 'outcomes'), '-', '+', 'COUNT', 1);
  const entryId = oldest[0]?.[0];
  if (entryId === undefined) return null;
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
  return seconds * 1_000 + micros / 1_000 - Number(entryId.split('-')[0]);
}
