import { edgeId, type Plan, type Steps } from '@runnel/core';
import { buildChildren, type Children } from '@runnel/store';
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

/** In topological order (Kahn 1962), each node after its last parent. */
export function* measureLayers(plan: Plan, nodeGroups: Uint32Array): Steps<Layers> {
  const weights = taskWeights(plan.groups);
  const walk = new LayerWalk(plan, yield* buildChildren(plan));
  for (let next = 0; next < walk.known; next++) {
    const node = walk.order[next] ?? 0;
    walk.visit(node, weights[nodeGroups[node] ?? 0] ?? 0);
    if (next % nodesPerStep === 0) yield;
  }
  return walk;
}

class LayerWalk implements Layers {
  readonly steps: Uint32Array;
  readonly before: Uint32Array;
  /** Nodes whose parents were all visited, `known` of them. */
  readonly order: Uint32Array;
  known = 0;
  readonly #links: Pick<Children, 'childOffsets' | 'children'>;
  /** Parents that were not visited. */
  readonly #open: Uint32Array;

  constructor(
    { nodeCount, parentOffsets }: Plan,
    links: Pick<Children, 'childOffsets' | 'children'>,
  ) {
    this.steps = new Uint32Array(nodeCount);
    this.before = Uint32Array.from({ length: nodeCount }, (_, node) => node);
    this.order = new Uint32Array(nodeCount);
    this.#links = links;
    this.#open = new Uint32Array(nodeCount);
    for (let node = 0; node < nodeCount; node++) {
      const parents = (parentOffsets[node + 1] ?? 0) - (parentOffsets[node] ?? 0);
      this.#open[node] = parents;
      if (parents === 0) this.order[this.known++] = node;
    }
  }

  visit(node: number, weight: number): void {
    const { childOffsets, children } = this.#links;
    const own = (this.steps[node] ?? 0) + weight;
    this.steps[node] = own;
    const to = childOffsets[node + 1] ?? 0;
    for (let index = childOffsets[node] ?? 0; index < to; index++) {
      this.#tell(edgeId(children[index] ?? 0), own, node);
    }
  }

  #tell(child: number, steps: number, parent: number): void {
    if (steps > (this.steps[child] ?? 0)) {
      this.steps[child] = steps;
      this.before[child] = parent;
    }
    const left = (this.#open[child] ?? 0) - 1;
    this.#open[child] = left;
    if (left === 0) this.order[this.known++] = child;
  }
}
