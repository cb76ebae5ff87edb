import { edgeId, type Steps } from '@runnel/core';
import type { LaterEdges } from './growth/later-edges.ts';
import { stateCode } from './packed.ts';
import type { Children } from './structure.ts';

/** Nodes between two turns of others. */
const nodesPerStep = 16_384;

/** Child lists, with those that came after the run was sealed; what was retired is left out. */
export interface Descent extends Pick<Children, 'childOffsets' | 'children'> {
  readonly later?: LaterEdges;
  readonly states?: Uint8Array;
}

/** The selected nodes and all that hangs on them, ascending: O(nodes + edges below them). */
export function* withDescendants(
  selected: Iterable<number>,
  nodeCount: number,
  { childOffsets, children, later, states }: Descent,
): Steps<Uint32Array> {
  const isIn = new Uint8Array(nodeCount);
  const found = new Uint32Array(nodeCount);
  let count = 0;
  const find = (node: number): void => {
    if (isIn[node] !== 0 || states?.[node] === stateCode.retired) return;
    isIn[node] = 1;
    found[count++] = node;
  };
  for (const node of selected) find(node);
  for (let next = 0; next < count; next++) {
    const node = found[next] ?? 0;
    const to = childOffsets[node + 1] ?? 0;
    for (let index = childOffsets[node] ?? 0; index < to; index++) {
      find(edgeId(children[index] ?? 0));
    }
    for (const edge of later?.get(node) ?? []) find(edgeId(edge));
    if (next % nodesPerStep === 0) yield;
  }
  return found.subarray(0, count).sort();
}
