import { edgeId, type Plan, type Steps, sortByParents } from '@runnel/core';
import { buildChildren } from '@runnel/store';
import { taskWeights } from './node-groups.ts';

/** How far each node stands from the roots. */
export interface Layers {
  /** Tasks of a longest chain that ends in this node, itself included. */
  readonly steps: Uint32Array;
  /** The node before it on that chain; its own number where there is none. */
  readonly before: Uint32Array;
}

/** Nodes between two turns of others. */
const nodesPerStep = 16_384;

/** Each node takes the longest chain of its parents, which are done before it. */
export function* measureLayers(plan: Plan, nodeGroups: Uint32Array): Steps<Layers> {
  const weights = taskWeights(plan.groups);
  const steps = new Uint32Array(plan.nodeCount);
  const before = new Uint32Array(plan.nodeCount);
  const order = yield* sortByParents(plan, yield* buildChildren(plan));
  for (const [place, node] of order.entries()) {
    const parent = deepestParent(plan, steps, node);
    before[node] = parent ?? node;
    const above = parent === null ? 0 : (steps[parent] ?? 0);
    steps[node] = above + (weights[nodeGroups[node] ?? 0] ?? 0);
    if (place % nodesPerStep === 0) yield;
  }
  return { steps, before };
}

/** Null where there is none, or where only nodes without work stand above. */
function deepestParent(
  { parentOffsets, parents }: Plan,
  steps: Uint32Array,
  node: number,
): number | null {
  let deepest: number | null = null;
  let most = 0;
  const to = parentOffsets[node + 1] ?? 0;
  for (let index = parentOffsets[node] ?? 0; index < to; index++) {
    const parent = edgeId(parents[index] ?? 0);
    const above = steps[parent] ?? 0;
    if (above <= most) continue;
    most = above;
    deepest = parent;
  }
  return deepest;
}
