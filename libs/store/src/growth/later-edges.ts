import { toUint32 } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

/** Packed edges that came after the run was sealed, by the node that has them; empty for most runs. */
export type LaterEdges = ReadonlyMap<number, Uint32Array>;

/** Edges to children that were generated later. */
export function readLaterChildren(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<LaterEdges> {
  return readLater(redis, run.names.moreChildren);
}

/** Edges from parents that were generated later. */
export function readLaterParents(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<LaterEdges> {
  return readLater(redis, run.names.moreParents);
}

/** The same of one node. */
export async function readLaterOf(
  redis: RedisClient,
  key: string,
  node: number,
): Promise<Uint32Array> {
  return toUint32((await redis.hgetBuffer(key, String(node))) ?? Buffer.alloc(0));
}

/** Fields that one read brings. */
const fieldsPerRead = 4_096;

async function readLater(redis: RedisClient, key: string): Promise<LaterEdges> {
  const edges = new Map<number, Uint32Array>();
  // Most runs have none, and tell so at once.
  if ((await redis.exists(key)) === 0) return edges;
  let cursor = '0';
  do {
    const [next, fields] = await redis.hscanBuffer(key, cursor, 'COUNT', fieldsPerRead);
    for (let at = 0; at + 1 < fields.length; at += 2) {
      edges.set(Number(String(fields[at])), toUint32(fields[at + 1] ?? Buffer.alloc(0)));
    }
    cursor = next.toString();
  } while (cursor !== '0');
  return edges;
}
