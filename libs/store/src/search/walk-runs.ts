import { shardCount, shardKey } from '../keys.ts';
import type { RedisClient } from '../script.ts';

/** Where a page ended: newest first by creation, then by id. */
export interface RunPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** A run, and the shard that it was found in. */
export interface WalkedRun extends RunPosition {
  readonly shard: number;
}

export interface WalkRequest {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Runs from this one on are passed over. */
  readonly after?: RunPosition | undefined;
  /** As many as the first batch has; later ones have more. */
  readonly first: number;
}

/** Of a shard, what was read and not handed on, in order. */
interface Lane {
  readonly shard: number;
  readonly key: string;
  entries: readonly WalkedRun[];
  /** Where its next read goes on. */
  after: RunPosition | undefined;
  isOver: boolean;
}

/** Runs that one read of a shard brings at most; the first reads bring fewer. */
const mostPerRead = 1_024;

/**
 * Live runs, newest first, merged from the time-ordered sets of all shards: in batches, which grow, so that
 * the newest few cost little and all of them few reads.
 */
export async function* walkRuns(
  redis: RedisClient,
  namespace: string,
  request: WalkRequest,
): AsyncGenerator<readonly WalkedRun[], void, undefined> {
  const lanes = Array.from({ length: shardCount }, (_, shard): Lane => {
    const key = shardKey(namespace, shard, 'runs');
    return { shard, key, entries: [], after: request.after, isOver: false };
  });
  // Runs are spread evenly: a shard has twice its part seldom.
  let perRead = Math.min(mostPerRead, Math.ceil((request.first * 2) / shardCount) + 4);
  do {
    const short = lanes.filter(({ entries, isOver }) => !isOver && entries.length < perRead / 2);
    await Promise.all(short.map((lane) => fill(redis, lane, request, perRead)));
    const batch = takeWhole(lanes);
    if (batch.length > 0) yield batch;
    perRead = Math.min(mostPerRead, perRead * 4);
  } while (lanes.some(({ entries, isOver }) => entries.length > 0 || !isOver));
}

/** What no shard can have anything newer than any more. */
function takeWhole(lanes: readonly Lane[]): readonly WalkedRun[] {
  const ends = lanes.flatMap(({ isOver, entries }) => (isOver ? [] : entries.slice(-1)));
  const [bound] = ends.sort(newestFirst);
  const batch: WalkedRun[] = [];
  for (const lane of lanes) {
    const behind =
      bound === undefined ? -1 : lane.entries.findIndex((entry) => newestFirst(entry, bound) > 0);
    const taken = behind === -1 ? lane.entries : lane.entries.slice(0, behind);
    for (const entry of taken) batch.push(entry);
    lane.entries = behind === -1 ? [] : lane.entries.slice(behind);
  }
  return batch.sort(newestFirst);
}

/** Reads on in a shard; runs of one millisecond that were passed before are read over. */
async function fill(
  redis: RedisClient,
  lane: Lane,
  { since, until }: WalkRequest,
  count: number,
): Promise<void> {
  const top = Math.min(until ?? Infinity, lane.after?.createdAt ?? Infinity);
  const max = top === Infinity ? '+inf' : String(top);
  const min = since ?? '-inf';
  const found: WalkedRun[] = [];
  const { shard } = lane;
  for (let offset = 0; found.length === 0 && !lane.isOver; offset += count) {
    const raw = await redis.zrevrangebyscore(
      ...([lane.key, max, min, 'WITHSCORES', 'LIMIT', offset, count] as const),
    );
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const entry = { shard, id: raw[index] ?? '', createdAt: Number(raw[index + 1]) };
      if (lane.after === undefined || newestFirst(lane.after, entry) < 0) found.push(entry);
    }
    lane.isOver = raw.length < count * 2;
  }
  lane.entries = [...lane.entries, ...found];
  lane.after = lane.entries.at(-1) ?? lane.after;
}

export function newestFirst(a: RunPosition, b: RunPosition): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
