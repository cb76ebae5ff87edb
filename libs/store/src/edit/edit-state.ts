import { readDeliveries } from '../deliveries.ts';
import { decodeReadyEntry } from '../doctor/backlog.ts';
import { readStrings } from '../doctor/read-structure.ts';
import { bytesOf, type Delivery } from '../packed.ts';
import type { RunInfo } from '../run-info.ts';
import type { RedisClient } from '../script.ts';
import type { Shadow } from './shadow.ts';

/** What moves of a run, as it is while it is frozen. */
export interface FrozenState {
  readonly states: Uint8Array;
  readonly deliveries: readonly Delivery[];
  /** Ready tasks that travel alone: id -> flags. */
  readonly flagged: ReadonlyMap<number, number>;
  /** Whether any task was tried more than once, or took a worker down. */
  readonly hasMarks: boolean;
  /** `group:n` and `group:us` -> what was measured. */
  readonly measured: Readonly<Record<string, string>>;
}

/** What moves of it after an edit: everything that its parents have decided is decided. */
export interface NextState {
  readonly states: Uint8Array;
  /** Big endian. */
  readonly words: Buffer;
  readonly counts: ReadonlyMap<string, number>;
  readonly deliveries: readonly { readonly carrier: number; readonly packed: Buffer }[];
  /** Entries by queue. */
  readonly ready: readonly (readonly Buffer[])[];
  /** See page-edit.lua. */
  readonly resets: Uint32Array;
  /** Fields of the run's record. */
  readonly totals: Readonly<Record<string, number>>;
}

const entriesPerRead = 1_024;

/** Reads a frozen run in pages. */
export async function readFrozen(redis: RedisClient, info: RunInfo): Promise<FrozenState> {
  const { handle, nodeCount } = info.facts;
  const { names } = handle;
  const [states, deliveries, counts, marked] = await Promise.all([
    readStrings(redis, names.state, nodeCount),
    readDeliveries(redis, handle),
    redis.hgetall(names.counts),
    redis.exists(names.tries, names.deaths),
  ]);
  const flagged = new Map<number, number>();
  for (const key of handle.keys.more ?? []) await readFlagged(redis, info, key, flagged);
  const measured = Object.entries(counts).filter(([field]) => /:(?:n|us)$/.test(field));
  const hasMarks = marked > 0;
  return { states, deliveries, flagged, hasMarks, measured: Object.fromEntries(measured) };
}

async function readFlagged(
  redis: RedisClient,
  { facts }: RunInfo,
  key: string,
  into: Map<number, number>,
): Promise<void> {
  for (let at = 0; ; at += entriesPerRead) {
    const page = await redis.lrangeBuffer(key, at, at + entriesPerRead - 1);
    for (const raw of page) {
      const entry = decodeReadyEntry(raw, facts);
      if (entry !== null && entry.flags !== 0)
        for (const id of entry.ids) into.set(id, entry.flags);
    }
    if (page.length < entriesPerRead) return;
  }
}

/** Writes what moves beside the run. */
export async function writeState({ run, pages }: Shadow, next: NextState): Promise<void> {
  await pages.write({ key: 'state', field: null, bytes: Buffer.from(next.states.buffer) });
  await pages.write({ key: 'waiting', field: null, bytes: next.words });
  await pages.write({ key: 'resets', field: null, bytes: bytesOf(next.resets) });
  for (const [field, count] of next.counts) {
    await pages.write({ key: 'counts', field, bytes: Buffer.from(String(count)) });
  }
  for (const { carrier, packed } of next.deliveries) {
    await pages.write({ key: 'deliveries', field: carrier, bytes: packed });
  }
  await pages.flush();
  for (const [queue, key] of (run.keys.more ?? []).entries()) {
    await pages.append(key, next.ready[queue] ?? []);
  }
  await pages.flush();
}
