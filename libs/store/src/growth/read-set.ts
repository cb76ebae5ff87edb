import { payloadChunk, type TaskPayload } from '@runnel/core';
import { decodePayloads } from '../chunks.ts';
import { toUint32 } from '../packed.ts';
import type { RunInfo } from '../run-info.ts';
import type { RedisClient } from '../script.ts';
import type { GeneratedRecord } from './generated-sets.ts';

/** A set as it stands in its run. */
export interface StoredSet {
  /** Of its tasks and the barriers among them: from `first` to the start barrier. */
  readonly states: Uint8Array;
  readonly payloads: readonly TaskPayload[];
  /** Packed edges to the parents of a node of the set, those alone that it was generated with. */
  parentsOf(node: number): Uint32Array;
}

/** One read: copying it takes Redis well below 1 ms. */
const pageBytes = 1_048_576;
const chunksPerTrip = 64;

/** What tells which results of a set can be reused; null where none of its tasks has one. */
export async function readStoredSet(
  redis: RedisClient,
  info: RunInfo,
  { first, start, to }: GeneratedRecord,
  hasResult: (state: number) => boolean,
): Promise<StoredSet | null> {
  const { names } = info.facts.handle;
  const read = (key: string, from: number, stop: number): Promise<Buffer> =>
    readSpan(redis, key, from, stop);
  const states = new Uint8Array(await read(names.state, first, start));
  if (!states.some(hasResult)) return null;
  const offsets = toUint32(await read(names.parentOffsets, first * 4, to * 4 + 4));
  const base = offsets[0] ?? 0;
  const edges = toUint32(await read(names.parents, base * 4, (offsets.at(-1) ?? base) * 4));
  return {
    states,
    payloads: await readPayloads(redis, names.payload, first, start),
    parentsOf(node) {
      const from = (offsets[node - first] ?? base) - base;
      return edges.subarray(from, (offsets[node - first + 1] ?? base) - base);
    },
  };
}

async function readSpan(
  redis: RedisClient,
  key: string,
  from: number,
  to: number,
): Promise<Buffer> {
  const pages: Buffer[] = [];
  for (let at = from; at < to; at += pageBytes) {
    pages.push(await redis.getrangeBuffer(key, at, Math.min(to, at + pageBytes) - 1));
  }
  return Buffer.concat(pages);
}

/** A set begins with a chunk of its own. */
async function readPayloads(
  redis: RedisClient,
  key: string,
  first: number,
  stop: number,
): Promise<readonly TaskPayload[]> {
  const payloads: TaskPayload[] = [];
  const last = Math.ceil(stop / payloadChunk);
  for (let from = first / payloadChunk; from < last; from += chunksPerTrip) {
    const to = Math.min(last, from + chunksPerTrip);
    const fields = Array.from({ length: to - from }, (_, index) => String(from + index));
    for (const [index, raw] of (await redis.hmgetBuffer(key, ...fields)).entries()) {
      const rows = decodePayloads(raw);
      const count = Math.min(payloadChunk, stop - (from + index) * payloadChunk);
      for (let place = 0; place < count; place++) payloads.push(rows[place] ?? { values: [] });
    }
  }
  return payloads;
}
