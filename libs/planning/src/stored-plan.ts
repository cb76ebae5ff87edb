import {
  type LaterEdges,
  type RedisClient,
  type RunInfo,
  readLaterParents,
  readParentBlocks,
} from '@runnel/store';
import type { SimulatedPlan } from './simulate.ts';

/** The structure of a stored run, in pages: 8 bytes a node and 4 an edge. */
export async function readStoredPlan(redis: RedisClient, info: RunInfo): Promise<SimulatedPlan> {
  const { handle, nodeCount } = info.facts;
  const [parallelism, onFailure, edgeCount] = await redis.hmget(
    handle.names.meta,
    ...['parallelism', 'onFailure', 'edges'],
  );
  const parentOffsets = new Uint32Array(nodeCount + 1);
  let parents = new Uint32Array(Number(edgeCount ?? 0));
  let used = 0;
  for await (const block of readParentBlocks(redis, handle, nodeCount, () => true)) {
    if (used + block.edges.length > parents.length) parents = grown(parents, block.edges.length);
    parents.set(block.edges, used);
    block.offsets.forEach((offset, index) => {
      parentOffsets[block.from + index] = used + offset;
    });
    used += block.edges.length;
  }
  const own = { parentOffsets, parents: parents.subarray(0, used) };
  return {
    nodeCount,
    groups: await info.groups(),
    groupRanges: await info.ranges(),
    ...withLater(own, nodeCount, await readLaterParents(redis, handle)),
    parallelism: parallelism === null || parallelism === undefined ? null : Number(parallelism),
    onFailure: onFailure === 'stop' ? 'stop' : 'continue',
  };
}

/** Parents that were generated after a run was sealed stand beside the others. */
function withLater(
  own: Pick<SimulatedPlan, 'parentOffsets' | 'parents'>,
  nodeCount: number,
  later: LaterEdges,
): Pick<SimulatedPlan, 'parentOffsets' | 'parents'> {
  if (later.size === 0) return own;
  const count = [...later.values()].reduce((sum, edges) => sum + edges.length, 0);
  const parentOffsets = new Uint32Array(nodeCount + 1);
  const parents = new Uint32Array(own.parents.length + count);
  let used = 0;
  for (let node = 0; node < nodeCount; node++) {
    const stored = own.parents.subarray(own.parentOffsets[node], own.parentOffsets[node + 1]);
    for (const edges of [stored, later.get(node) ?? none]) {
      parents.set(edges, used);
      used += edges.length;
    }
    parentOffsets[node + 1] = used;
  }
  return { parentOffsets, parents };
}

const none = new Uint32Array(0);

function grown(array: Uint32Array<ArrayBuffer>, by: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2 + by);
  larger.set(array);
  return larger;
}
