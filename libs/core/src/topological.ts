import { edgeId, type Plan } from './plan.ts';
import type { Steps } from './steps.ts';

const nodesPerStep = 16_384;

interface Children {
  readonly childOffsets: Uint32Array;
  readonly children: Uint32Array;
}

/** Nodes in an order in which parents come before their children (Kahn 1962). Throws where nodes wait for each other. */
export function* sortByParents(
  edges: Pick<Plan, 'nodeCount' | 'parentOffsets'>,
  children: Children,
): Steps<Uint32Array> {
  const order = yield* sortWithoutCycles(edges, children);
  const left = edges.nodeCount - order.length;
  if (left > 0) throw new Error(`${left} nodes wait for each other`);
  return order;
}

/** The same without nodes that wait for each other, and without what waits for them. */
export function* sortWithoutCycles(
  edges: Pick<Plan, 'nodeCount' | 'parentOffsets'>,
  children: Children,
): Steps<Uint32Array> {
  const { nodeCount, parentOffsets } = edges;
  const left = new Uint32Array(nodeCount);
  const order = new Uint32Array(nodeCount);
  let count = 0;
  for (let node = 0; node < nodeCount; node++) {
    left[node] = (parentOffsets[node + 1] ?? 0) - (parentOffsets[node] ?? 0);
    if (left[node] === 0) order[count++] = node;
  }
  for (let next = 0; next < count; next++) {
    count = visitChildren(children, order[next] ?? 0, { left, order, count });
    if (next % nodesPerStep === 0) yield;
  }
  return order.subarray(0, count);
}

function visitChildren(
  { childOffsets, children }: Children,
  node: number,
  found: { readonly left: Uint32Array; readonly order: Uint32Array; readonly count: number },
): number {
  const { left, order } = found;
  let { count } = found;
  const last = childOffsets[node + 1] ?? 0;
  for (let index = childOffsets[node] ?? 0; index < last; index++) {
    const child = edgeId(children[index] ?? 0);
    left[child] = (left[child] ?? 0) - 1;
    if (left[child] === 0) order[count++] = child;
  }
  return count;
}
