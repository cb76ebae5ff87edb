import { payloadChunk, type TaskPayload } from '@runnel/core';
import { decodePayloads } from '../chunks.ts';
import { readStrings } from '../doctor/read-structure.ts';
import type { RunInfo } from '../run-info.ts';
import type { RedisClient } from '../script.ts';
import type { Shadow } from './shadow.ts';

/** What is kept by number of nodes that go on and are in no spec: generated ones. */
export interface CarriedNodes {
  /** Hashes of their ids, by number; 0 for all else. */
  readonly names: Uint16Array;
  /** Chunks that they share with others: place -> row. */
  readonly rows: ReadonlyMap<number, ReadonlyMap<number, TaskPayload>>;
  /** Chunks that are theirs alone. */
  readonly chunks: readonly number[];
}

const none: CarriedNodes = { names: new Uint16Array(), rows: new Map(), chunks: [] };

/**
 * Reads it in pages.
 *
 * @param isPlanned by number: whether a new node is there.
 */
export async function readCarried(
  redis: RedisClient,
  info: RunInfo,
  { isCarried, isPlanned }: { readonly isCarried: Uint8Array; isPlanned(number: number): boolean },
): Promise<CarriedNodes> {
  if (!isCarried.includes(1)) return none;
  const { handle, nodeCount } = info.facts;
  const hashes = await readStrings(redis, handle.names.names, nodeCount * 2);
  const names = new Uint16Array(nodeCount);
  for (const [number, carried] of isCarried.entries()) {
    if (carried === 1) names[number] = hashes.readUInt16LE(number * 2);
  }
  const rows = new Map<number, ReadonlyMap<number, TaskPayload>>();
  const chunks: number[] = [];
  for (let first = 0; first < nodeCount; first += payloadChunk) {
    const chunk = first / payloadChunk;
    const places = placesOf(isCarried, first);
    if (places.length === 0) continue;
    const isOwn = places.length === Math.min(payloadChunk, nodeCount - first);
    if (isOwn && !hasPlanned(first, isPlanned)) chunks.push(chunk);
    else rows.set(chunk, await readRows(redis, info, chunk, places));
  }
  return { names, rows, chunks };
}

function placesOf(isCarried: Uint8Array, first: number): readonly number[] {
  const places: number[] = [];
  for (let place = 0; place < payloadChunk; place++) {
    if (isCarried[first + place] === 1) places.push(place);
  }
  return places;
}

function hasPlanned(first: number, isPlanned: (number: number) => boolean): boolean {
  for (let place = 0; place < payloadChunk; place++) if (isPlanned(first + place)) return true;
  return false;
}

async function readRows(
  redis: RedisClient,
  { facts }: RunInfo,
  chunk: number,
  places: readonly number[],
): Promise<ReadonlyMap<number, TaskPayload>> {
  const raw = await redis.hgetBuffer(facts.handle.names.payload, String(chunk));
  const all = decodePayloads(raw);
  return new Map(places.map((place) => [place, all[place] ?? { values: [] }]));
}

/** Chunks that one trip reads: some hundred KB. */
const chunksPerTrip = 16;

/** Writes chunks as they are beside the run. */
export async function copyChunks(
  redis: RedisClient,
  { facts }: RunInfo,
  { pages }: Shadow,
  chunks: readonly number[],
): Promise<void> {
  for (let at = 0; at < chunks.length; at += chunksPerTrip) {
    const fields = chunks.slice(at, at + chunksPerTrip);
    const raw = await redis.hmgetBuffer(facts.handle.names.payload, ...fields.map(String));
    for (const [index, field] of fields.entries()) {
      const bytes = raw[index];
      if (bytes != null) await pages.write({ key: 'payload', field, bytes });
    }
  }
}
