import { edgeId, type Steps } from '@runnel/core';
import type { Children } from './structure.ts';

/** Nodes between two turns of others. */
const nodesPerStep = 16_384;

/** The selected nodes and all that hangs on them, ascending: O(nodes + edges below them). */
export function* withDescendants(
  selected: Iterable<number>,
  nodeCount: number,
  { childOffsets, children }: Pick<Children, 'childOffsets' | 'children'>,
): Steps<Uint32Array> {
  const isIn = new Uint8Array(nodeCount);
  const found = new Uint32Array(nodeCount);
  let count = 0;
  for (const node of selected) {
    if (isIn[node] !== 0) continue;
    isIn[node] = 1;
    found[count++] = node;
  }
  for (let next = 0; next < count; next++) {
    const node = found[next] ?? 0;
    const to = childOffsets[node + 1] ?? 0;
    for (let index = childOffsets[node] ?? 0; index < to; index++) {
      const child = edgeId(children[index] ?? 0);
      if (isIn[child] !== 0) continue;
      isIn[child] = 1;
      found[count++] = child;
    }
    if (next % nodesPerStep === 0) yield;
  }
  return found.subarray(0, count).sort();
}
