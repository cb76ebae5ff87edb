import { shardCount, shardKey } from '../keys.ts';
import type { RedisClient } from '../script.ts';

/** Where a page ended: newest first by creation, then by id. */
export interface RunPosition {
  readonly createdAt: number;
  readonly id: string;
}

export interface WalkRequest {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Runs from this one on are passed over. */
  readonly after?: RunPosition | undefined;
  /** As many as the first batch has; later ones have more. */
  readonly first: number;
}

/** Of a shard, what was read and not handed on. */
interface Lane {
  readonly key: string;
  readonly entries: RunPosition[];
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
): AsyncGenerator<readonly RunPosition[], void, undefined> {
  const lanes = Array.from({ length: shardCount }, (_, shard): Lane => {
    const key = shardKey(namespace, shard, 'runs');
    return { key, entries: [], after: request.after, isOver: false };
  });
  let size = request.first;
  for (;;) {
    const batch: RunPosition[] = [];
    // Runs are spread evenly: a shard has twice its part seldom.
    const perRead = Math.min(mostPerRead, Math.ceil((size * 2) / shardCount) + 4);
    while (batch.length < size) {
      await Promise.all(lanes.filter(isEmpty).map((lane) => fill(redis, lane, request, perRead)));
      if (!takeMerged(lanes, batch, size)) break;
    }
    if (batch.length > 0) yield batch;
    if (batch.length < size) return;
    size = Math.min(size * 4, mostPerRead * 8);
  }
}

function isEmpty({ entries, isOver }: Lane): boolean {
  return entries.length === 0 && !isOver;
}

/** Takes the newest until the batch is full or a lane has to be filled; false where nothing is left at all. */
function takeMerged(lanes: readonly Lane[], batch: RunPosition[], size: number): boolean {
  while (batch.length < size) {
    let newest: Lane | undefined;
    for (const lane of lanes) {
      if (isEmpty(lane)) return true;
      const [own] = lane.entries;
      const [best] = newest?.entries ?? [];
      if (own !== undefined && (best === undefined || newestFirst(own, best) < 0)) newest = lane;
    }
    const next = newest?.entries.shift();
    if (next === undefined) return false;
    batch.push(next);
  }
  return true;
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
  for (let offset = 0; lane.entries.length === 0; offset += count) {
    const raw = await redis.zrevrangebyscore(
      ...([lane.key, max, min, 'WITHSCORES', 'LIMIT', offset, count] as const),
    );
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const entry = { id: raw[index] ?? '', createdAt: Number(raw[index + 1]) };
      if (lane.after === undefined || newestFirst(lane.after, entry) < 0) lane.entries.push(entry);
    }
    if (raw.length < count * 2) {
      lane.isOver = true;
      return;
    }
  }
  lane.after = lane.entries.at(-1);
}

export function newestFirst(a: RunPosition, b: RunPosition): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
