import { type RedisClient, type RunInfo, readParentBlocks } from '@runnel/store';
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
  return {
    nodeCount,
    groups: await info.groups(),
    groupRanges: await info.ranges(),
    parentOffsets,
    parents: parents.subarray(0, used),
    parallelism: parallelism === null || parallelism === undefined ? null : Number(parallelism),
    onFailure: onFailure === 'stop' ? 'stop' : 'continue',
  };
}

function grown(array: Uint32Array<ArrayBuffer>, by: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2 + by);
  larger.set(array);
  return larger;
}
