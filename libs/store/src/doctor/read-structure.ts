import { readLaterOf } from '../growth/later-edges.ts';
import { toUint32 } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

/** One read: copying it takes Redis well below 1 ms. */
const pageBytes = 1_048_576;
const nodesPerBlock = 65_536;
const edgesPerBlock = 262_144;

/** The `waiting` words of all nodes, read in pages: big endian. */
export async function readWords(
  redis: RedisClient,
  run: RunHandle,
  nodeCount: number,
): Promise<Buffer> {
  return await readStrings(redis, run.names.waiting, nodeCount * 4);
}

/** The first bytes of a string, read in pages. */
export async function readStrings(redis: RedisClient, key: string, bytes: number): Promise<Buffer> {
  const whole = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += pageBytes) {
    const page = await redis.getrangeBuffer(key, at, Math.min(bytes, at + pageBytes) - 1);
    page.copy(whole, at);
  }
  return whole;
}

/** Parents of some nodes: those of node `from + i` are `edges[offsets[i] … offsets[i + 1])`. */
export interface ParentBlock {
  readonly from: number;
  readonly to: number;
  readonly offsets: Uint32Array;
  readonly edges: Uint32Array;
}

/** The parent lists, block by block; blocks in which `isWanted` finds no node are left out. */
export async function* readParentBlocks(
  redis: RedisClient,
  run: RunHandle,
  nodeCount: number,
  isWanted: (from: number, to: number) => boolean,
): AsyncGenerator<ParentBlock> {
  for (let from = 0; from < nodeCount; from += nodesPerBlock) {
    const to = Math.min(nodeCount, from + nodesPerBlock);
    if (!isWanted(from, to)) continue;
    const raw = await redis.getrangeBuffer(run.names.parentOffsets, from * 4, to * 4 + 3);
    const offsets = toUint32(raw);
    for (let start = 0; start < to - from; ) {
      let stop = start + 1;
      const first = offsets[start] ?? 0;
      while (stop < to - from && (offsets[stop + 1] ?? 0) - first <= edgesPerBlock) stop++;
      const edges = await readEdges(redis, run.names.parents, first, offsets[stop] ?? 0);
      const own = offsets.slice(start, stop + 1).map((offset) => offset - first);
      yield { from: from + start, to: from + stop, offsets: own, edges };
      start = stop;
    }
  }
}

async function readEdges(
  redis: RedisClient,
  key: string,
  from: number,
  to: number,
): Promise<Uint32Array> {
  const edges = new Uint32Array(to - from);
  for (let at = from; at < to; at += pageBytes / 4) {
    const stop = Math.min(to, at + pageBytes / 4);
    edges.set(toUint32(await redis.getrangeBuffer(key, at * 4, stop * 4 - 1)), at - from);
  }
  return edges;
}

/** The child behind an edge of a node, counted from its first; null behind the last. */
export async function readChildAt(
  redis: RedisClient,
  run: RunHandle,
  node: number,
  edge: number,
): Promise<number | null> {
  const raw = await redis.getrangeBuffer(run.names.childOffsets, node * 4, node * 4 + 7);
  const [from = 0, to = 0] = toUint32(raw);
  if (from + edge >= to) {
    const later = await readLaterOf(redis, run.names.moreChildren, node);
    const child = later[from + edge - to];
    return child === undefined ? null : child & 0xff_ff_ff;
  }
  const at = (from + edge) * 4;
  const [child = 0] = toUint32(await redis.getrangeBuffer(run.names.children, at, at + 3));
  return child & 0xff_ff_ff;
}

/** The `waiting` words of single nodes, as they stand now. */
export async function readWordsOf(
  redis: RedisClient,
  run: RunHandle,
  nodes: readonly number[],
): Promise<readonly number[]> {
  const pipeline = redis.pipeline();
  for (const node of nodes) pipeline.getrangeBuffer(run.names.waiting, node * 4, node * 4 + 3);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, raw]) => {
    if (error !== null) throw error;
    return Buffer.isBuffer(raw) && raw.length === 4 ? raw.readUInt32BE() : 0;
  });
}

/** What the scripts know of a group. */
export interface GroupFacts {
  readonly queue: number;
  readonly isBarrier: boolean;
  readonly allowsFailure: boolean;
}

/** All groups of a run, in order: 8 bytes each. */
export async function readGroupIndex(
  redis: RedisClient,
  run: RunHandle,
): Promise<readonly GroupFacts[]> {
  const raw = (await redis.getBuffer(run.names.groupIndex)) ?? Buffer.alloc(0);
  return Array.from({ length: Math.floor(raw.length / 8) }, (_, group) => {
    const flags = raw.readUInt8(group * 8 + 5);
    return {
      queue: raw.readUInt8(group * 8 + 4),
      isBarrier: (flags & 1) !== 0,
      allowsFailure: (flags & 2) !== 0,
    };
  });
}
