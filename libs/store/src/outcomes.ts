import { Cluster } from 'ioredis';
import type { Chores } from './chores.ts';
import { shardKey, shardOf } from './keys.ts';
import { pollNodes } from './poll-nodes.ts';
import type { RedisClient } from './script.ts';

/** The consumer group of every shard's stream, and its only consumer: whoever owns the shard. */
const group = 'listeners';
const consumer = 'owner';

/** Outcomes of one delivery, or part of them, as a worker reported them. */
export interface OutcomeEntry {
  readonly entryId: string;
  readonly runId: string;
  /** 0 for a nudge: nothing to settle, but the run needs a turn. */
  readonly carrier: number;
  readonly token: Buffer;
  readonly group: number;
  /** Packed, 16 bytes each. */
  readonly outcomes: Buffer;
  readonly extras: Buffer;
}

export type NewOutcomeEntry = Omit<OutcomeEntry, 'entryId'>;

/** Appends entries; resolves when Redis has answered for all of them. */
export async function appendOutcomes(
  redis: RedisClient,
  namespace: string,
  entries: readonly NewOutcomeEntry[],
): Promise<void> {
  const byShard = Map.groupBy(entries, (entry) => shardOf(entry.runId));
  await Promise.all(
    [...byShard].map(([shard, own]) =>
      appendToShard(redis, shardKey(namespace, shard, 'outcomes'), own),
    ),
  );
}

async function appendToShard(
  redis: RedisClient,
  key: string,
  entries: readonly NewOutcomeEntry[],
): Promise<void> {
  const pipeline = redis.pipeline();
  for (const entry of entries) {
    const fields = ['r', entry.runId, 'c', entry.carrier, 't', entry.token, 'g', entry.group];
    pipeline.xadd(key, '*', ...fields, 'p', entry.outcomes, 'x', entry.extras);
  }
  const replies = await pipeline.exec();
  for (const [error] of replies ?? []) if (error !== null) throw error;
}

/** Asks the owner of the run's shard to give the run a settling turn. */
export async function nudge(redis: RedisClient, namespace: string, runId: string): Promise<void> {
  const nothing = Buffer.alloc(0);
  const entry = { runId, carrier: 0, token: nothing, group: 0, outcomes: nothing, extras: nothing };
  await appendOutcomes(redis, namespace, [entry]);
}

/** Makes the stream and its group where they do not exist. */
export async function openOutcomes(
  redis: RedisClient,
  namespace: string,
  shard: number,
): Promise<void> {
  try {
    // A `call`: where commands are gathered, ioredis would look for the slot in the word CREATE.
    const key = shardKey(namespace, shard, 'outcomes');
    await redis.call('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM');
  } catch (error: unknown) {
    // Another listener, or an earlier start, made it.
    if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
  }
}

export interface ShardEntries {
  readonly shard: number;
  readonly entries: readonly OutcomeEntry[];
}

/** Entries that an earlier owner read and did not finish, oldest first. */
export async function readPendingOutcomes(
  redis: RedisClient,
  namespace: string,
  shard: number,
  count: number,
): Promise<readonly OutcomeEntry[]> {
  const key = shardKey(namespace, shard, 'outcomes');
  const raw = await redis.callBuffer(
    ...(['XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', key, '0'] as const),
  );
  return decodeStreams(raw)[0]?.entries ?? [];
}

/**
 * New entries of the given shards, after waiting up to `blockMs` for the first; null does not wait. On
 * a Cluster no command takes keys of two shards, so they are asked again and again, node by node.
 */
export async function readNewOutcomes(
  redis: RedisClient,
  namespace: string,
  shards: readonly number[],
  options: { readonly count: number; readonly blockMs: number | null },
): Promise<readonly ShardEntries[]> {
  const head = ['GROUP', group, consumer, 'COUNT', options.count];
  const keys = new Map(shards.map((shard) => [shardKey(namespace, shard, 'outcomes'), shard]));
  const answers =
    redis instanceof Cluster
      ? await pollNodes(redis, shards, options.blockMs ?? 0, (shard) => [
          ...['XREADGROUP', ...head, 'STREAMS', shardKey(namespace, shard, 'outcomes'), '>'],
        ])
      : [
          await redis.callBuffer('XREADGROUP', [
            ...head,
            ...(options.blockMs === null ? [] : ['BLOCK', options.blockMs]),
            ...['STREAMS', ...keys.keys(), ...shards.map(() => '>')],
          ]),
        ];
  return answers.flatMap(decodeStreams).map(({ key, entries }) => ({
    shard: keys.get(key) ?? -1,
    entries,
  }));
}

/** Takes entries out of the stream after everything in them was settled: both, or none of it. */
export function acknowledgeOutcomes(
  chores: Chores,
  namespace: string,
  shard: number,
  entryIds: readonly string[],
): void {
  if (entryIds.length === 0) return;
  const key = shardKey(namespace, shard, 'outcomes');
  chores.addTo(shard, (pipeline) => {
    // Not `multi()`, whose `exec()` would send the whole pipeline.
    pipeline.call('MULTI');
    pipeline.xack(key, group, ...entryIds);
    pipeline.xdel(key, ...entryIds);
    pipeline.call('EXEC');
  });
}

/** The last entry ever added, and the oldest that is still in the stream (null: none). */
export async function readOutcomesPosition(
  redis: RedisClient,
  namespace: string,
  shard: number,
): Promise<{ readonly last: string; readonly oldest: string | null }> {
  const key = shardKey(namespace, shard, 'outcomes');
  const info: unknown = await redis.xinfo('STREAM', key);
  const fields = Array.isArray(info) ? info : [];
  const last = fields[fields.indexOf('last-generated-id') + 1];
  const first = await redis.xrange(key, '-', '+', 'COUNT', 1);
  return { last: String(last ?? '0-0'), oldest: first[0]?.[0] ?? null };
}

/** Order of stream ids `ms-seq`. */
export function compareEntryIds(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs - bMs || aSeq - bSeq;
}

/** Keeps an entry that can't be settled where `why` finds it; capped, oldest out. */
export async function buryOutcome(
  redis: RedisClient,
  namespace: string,
  shard: number,
  entry: OutcomeEntry,
  reason: string,
): Promise<void> {
  const key = shardKey(namespace, shard, 'deadLetters');
  const head = ['r', entry.runId, 'c', entry.carrier, 'reason', reason.slice(0, 1000)];
  const body = ['t', entry.token, 'g', entry.group, 'p', entry.outcomes, 'x', entry.extras];
  await redis.xadd(key, 'MAXLEN', '~', 10_000, '*', ...head, ...body);
}

interface RawStream {
  readonly key: string;
  readonly entries: readonly OutcomeEntry[];
}

function decodeStreams(raw: unknown): readonly RawStream[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((stream: unknown) => {
    const [key, entries] = Array.isArray(stream) ? stream : [];
    const list: unknown[] = Array.isArray(entries) ? entries : [];
    return { key: String(key), entries: list.map(decodeEntry) };
  });
}

function decodeEntry(raw: unknown): OutcomeEntry {
  const [id, fields] = Array.isArray(raw) ? raw : [];
  const list: unknown[] = Array.isArray(fields) ? fields : [];
  const bytes = (name: string): Buffer => {
    for (let index = 0; index < list.length; index += 2) {
      const value = list[index + 1];
      if (String(list[index]) === name && Buffer.isBuffer(value)) return value;
    }
    return Buffer.alloc(0);
  };
  return {
    entryId: String(id),
    runId: bytes('r').toString(),
    carrier: Number(bytes('c').toString() || 0),
    token: bytes('t'),
    group: Number(bytes('g').toString() || 0),
    outcomes: bytes('p'),
    extras: bytes('x'),
  };
}
