import {
  type EdgeRule,
  edgeRuleOf,
  type Group,
  type On,
  type Plan,
  packEdge,
  type RunIf,
} from '@runnel/core';
import fc from 'fast-check';

/** A node of a random graph. */
export interface GraphNode {
  readonly isBarrier: boolean;
  readonly runIf: RunIf;
  readonly parents: readonly { readonly id: number; readonly on: On }[];
  /** How each attempt ends; the last repeats. */
  readonly attempts: readonly ('succeeded' | 'failed')[];
  readonly retries: number;
  readonly allowFailure: boolean;
}

/** A task that waits for nothing and succeeds. */
export const plainNode: GraphNode = {
  isBarrier: false,
  runIf: 'all-succeeded',
  parents: [],
  attempts: ['succeeded'],
  retries: 0,
  allowFailure: false,
};

export type Graph = readonly GraphNode[];

/** Graphs with conditions, barriers, failures and retries; `min` to `max` nodes. */
export function graphArbitrary(max: number, min = 1): fc.Arbitrary<Graph> {
  return fc
    .integer({ min, max })
    .chain((size) => fc.tuple(...Array.from({ length: size }, (_, id) => nodeArbitrary(id))));
}

function nodeArbitrary(id: number): fc.Arbitrary<GraphNode> {
  const parentIds =
    id === 0
      ? fc.constant<number[]>([])
      : fc.uniqueArray(fc.integer({ min: Math.max(0, id - 40), max: id - 1 }), { maxLength: 5 });
  return fc
    .record({
      ids: parentIds,
      isBarrier: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      runIf: fc.constantFrom<RunIf>(
        'all-succeeded',
        'all-succeeded',
        'all-succeeded',
        'none-failed',
        'any-succeeded',
        'any-failed',
        'all-done',
      ),
      ons: fc.array(fc.constantFrom<On>('succeeded', 'succeeded', 'failed', 'done'), {
        minLength: 5,
        maxLength: 5,
      }),
      attempts: fc.array(fc.constantFrom('succeeded', 'succeeded', 'succeeded', 'failed'), {
        minLength: 1,
        maxLength: 3,
      }),
      retries: fc.integer({ min: 0, max: 2 }),
      allowFailure: fc.boolean(),
    })
    .map(({ ids, ons, runIf, ...rest }) => ({
      ...rest,
      runIf,
      parents: ids
        .sort((a, b) => a - b)
        .map((parent, index) => ({ id: parent, on: onOf(runIf, ons[index] ?? 'succeeded') })),
    }));
}

function onOf(runIf: RunIf, drawn: On): On {
  if (runIf === 'all-succeeded') return drawn;
  return runIf === 'any-failed' ? 'failed' : 'succeeded';
}

/** The plan that a spec would give for a graph; nodes with equal policies share a group. */
export function planOf(graph: Graph, overrides: Partial<Plan> = {}): Plan {
  const groups: Group[] = [];
  const numbers = new Map<string, number>();
  const ranges: number[] = [];
  const offsets = [0];
  const edges: number[] = [];
  graph.forEach((node, id) => {
    const key = `${node.isBarrier}:${node.retries}:${node.allowFailure}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = groups.length;
      numbers.set(key, number);
      groups.push(groupOf(node, `c${number}`));
    }
    if (ranges.at(-1) !== number || ranges.length === 0) ranges.push(id, number);
    const rule: EdgeRule = edgeRuleOf(node.runIf);
    for (const { id: parent, on } of node.parents) edges.push(packEdge(parent, on, rule));
    offsets.push(edges.length);
  });
  return {
    name: null,
    tags: {},
    nodeCount: graph.length,
    barrierCount: graph.filter((node) => node.isBarrier).length,
    groups,
    groupRanges: Uint32Array.from(ranges),
    parentOffsets: Uint32Array.from(offsets),
    parents: Uint32Array.from(edges),
    *payloads() {
      for (const id of graph.keys()) yield { values: [], id: `t${id}` };
    },
    texts: null,
    onFailure: 'continue',
    parallelism: null,
    ...overrides,
  };
}

/** A group with the defaults of a spec. */
export function groupOf(
  node: Pick<GraphNode, 'isBarrier' | 'retries' | 'allowFailure'>,
  name: string,
): Group {
  return {
    class: name,
    kind: node.isBarrier ? 'barrier' : 'task',
    executor: node.isBarrier ? '' : 'noop',
    pool: 'default',
    priority: 0,
    timeoutMs: null,
    retries: {
      limit: node.retries,
      backoffMs: 1,
      factor: 1,
      maxDelayMs: 1,
      onExitCodes: null,
    },
    successExitCodes: [0],
    allowFailure: node.allowFailure,
    resources: {},
    version: null,
    axes: [],
    templated: true,
    details: {},
    inputs: [],
    readsOutputs: false,
  };
}
