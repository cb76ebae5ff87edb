import { readLaterOf } from './growth/later-edges.ts';
import { toUint32 } from './packed.ts';
import type { RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** Parents and children that are listed of one task at most. */
const mostNeighbours = 100;

/** Where the edges of one side are. */
interface EdgeKeys {
  readonly offsets: string;
  readonly edges: string;
  /** Of edges that came after the run was sealed. */
  readonly later: string;
}

export function parentKeys(info: RunInfo): EdgeKeys {
  const { parentOffsets, parents, moreParents } = info.facts.handle.names;
  return { offsets: parentOffsets, edges: parents, later: moreParents };
}

export function childKeys(info: RunInfo): EdgeKeys {
  const { childOffsets, children, moreChildren } = info.facts.handle.names;
  return { offsets: childOffsets, edges: children, later: moreChildren };
}

/** The children that a node was submitted or generated with, as packed edges. */
export function readChildrenOf(
  redis: RedisClient,
  info: RunInfo,
  number: number,
): Promise<Uint32Array> {
  return readOwnEdges(redis, childKeys(info), number, Number.MAX_SAFE_INTEGER);
}

/** The nodes at the other ends, with those that came after the run was sealed. */
export async function readEdges(
  redis: RedisClient,
  keys: EdgeKeys,
  number: number,
  most = mostNeighbours,
): Promise<readonly number[]> {
  const [own, later] = await Promise.all([
    readOwnEdges(redis, keys, number, most),
    readLaterOf(redis, keys.later, number),
  ]);
  return [...own, ...later.subarray(0, most)].slice(0, most).map((edge) => edge & 0xff_ff_ff);
}

/** Packed edges of those that the node was submitted or generated with. */
export async function readOwnEdges(
  redis: RedisClient,
  keys: EdgeKeys,
  number: number,
  most: number,
): Promise<Uint32Array> {
  const offsets = toUint32(await redis.getrangeBuffer(keys.offsets, number * 4, number * 4 + 7));
  const from = offsets[0] ?? 0;
  const to = Math.min(offsets[1] ?? 0, from + most);
  if (to <= from) return new Uint32Array();
  return toUint32(await redis.getrangeBuffer(keys.edges, from * 4, to * 4 - 1));
}
