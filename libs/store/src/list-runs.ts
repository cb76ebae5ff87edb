import type { RunState } from '@runnel/core';
import { shardCount, shardKey } from './keys.ts';
import { type RunSummary, readRuns } from './read-run.ts';
import type { RedisClient } from './script.ts';

export interface RunQuery {
  readonly state?: RunState;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  /** Runs from this one on were listed before. */
  readonly after?: RunPosition;
}

/** Where a page ended: newest first by creation, then by id. */
export interface RunPosition {
  readonly createdAt: number;
  readonly id: string;
}

interface Entry extends RunPosition {
  readonly shard: number;
}

/** A page of live runs, newest first, merged from the time-ordered sets of all shards. */
export async function listRuns(
  redis: RedisClient,
  namespace: string,
  query: RunQuery,
): Promise<{ readonly runs: readonly RunSummary[]; readonly next: RunPosition | null }> {
  const found: RunSummary[] = [];
  let after = query.after;
  for (;;) {
    const page = await readPage(redis, namespace, query, after);
    const summaries = await readRuns(
      redis,
      namespace,
      page.map(({ id }) => id),
    );
    for (const summary of summaries) {
      if (query.state !== undefined && summary.state !== query.state) continue;
      found.push(summary);
      if (found.length === query.limit) return { runs: found, next: positionOf(summary) };
    }
    after = page.at(-1);
    if (page.length < pageRuns || after === undefined) return { runs: found, next: null };
  }
}

const pageRuns = 200;

/** The next runs in order: each shard's own next, merged and cut. */
async function readPage(
  redis: RedisClient,
  namespace: string,
  query: RunQuery,
  after: RunPosition | undefined,
): Promise<readonly Entry[]> {
  const top = Math.min(query.until ?? Infinity, after?.createdAt ?? Infinity);
  const shards = [...Array(shardCount).keys()];
  const lists = await Promise.all(
    shards.map((shard) => readShard(redis, namespace, shard, { query, top, after })),
  );
  return lists.flat().sort(newestFirst).slice(0, pageRuns);
}

/** A shard's next runs; runs of one millisecond that were listed before are read over. */
async function readShard(
  redis: RedisClient,
  namespace: string,
  shard: number,
  { query, top, after }: { query: RunQuery; top: number; after: RunPosition | undefined },
): Promise<readonly Entry[]> {
  const key = shardKey(namespace, shard, 'runs');
  const max = top === Infinity ? '+inf' : String(top);
  const entries: Entry[] = [];
  for (let offset = 0; entries.length < pageRuns; offset += pageRuns) {
    const raw = await redis.zrevrangebyscore(
      key,
      max,
      query.since ?? '-inf',
      'WITHSCORES',
      'LIMIT',
      offset,
      pageRuns,
    );
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const entry = { shard, id: raw[index] ?? '', createdAt: Number(raw[index + 1]) };
      if (after === undefined || newestFirst(after, entry) < 0) entries.push(entry);
    }
    if (raw.length < pageRuns * 2) break;
  }
  return entries;
}

function newestFirst(a: RunPosition, b: RunPosition): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function positionOf(run: RunSummary): RunPosition {
  return { createdAt: run.facts.createdAt, id: run.facts.handle.id };
}
