import { edgeId, type Plan, type Steps } from '@runnel/core';

/** What sealing derives from the parent lists. */
export interface Children {
  /** u32 big endian a node: parents that are not final, no flags. */
  readonly waiting: Buffer;
  readonly childOffsets: Uint32Array;
  /** The condition of the parent edge, with the child's id. */
  readonly children: Uint32Array;
}

/** Nodes between two turns of others. */
const nodesPerStep = 4096;

/** Child lists from parent lists: a counting sort over typed arrays, O(nodes + edges). */
export function* buildChildren(
  plan: Pick<Plan, 'nodeCount' | 'parentOffsets' | 'parents'>,
): Steps<Children> {
  const { nodeCount, parentOffsets, parents } = plan;
  const childOffsets = new Uint32Array(nodeCount + 1);
  for (let from = 0; from < parents.length; from += nodesPerStep) {
    for (const edge of parents.subarray(from, from + nodesPerStep)) {
      add(childOffsets, edgeId(edge) + 1, 1);
    }
    yield;
  }
  for (let node = 0; node < nodeCount; node++) add(childOffsets, node + 1, at(childOffsets, node));

  const next = childOffsets.slice();
  const children = new Uint32Array(parents.length);
  const waiting = Buffer.alloc(nodeCount * 4);
  for (let node = 0; node < nodeCount; node++) {
    const from = at(parentOffsets, node);
    const to = at(parentOffsets, node + 1);
    waiting.writeUInt32BE(to - from, node * 4);
    for (let index = from; index < to; index++) {
      const edge = at(parents, index);
      const parent = edgeId(edge);
      children[at(next, parent)] = ((edge & 0xff_00_00_00) | node) >>> 0;
      add(next, parent, 1);
    }
    if (node % nodesPerStep === 0) yield;
  }
  return { waiting, childOffsets, children };
}

function at(array: Uint32Array, index: number): number {
  return array[index] ?? 0;
}

function add(array: Uint32Array, index: number, by: number): void {
  array[index] = at(array, index) + by;
}
