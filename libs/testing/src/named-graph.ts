import { edgeRuleOf, type FinalTaskState, type Group, type Plan, packEdge } from '@runnel/core';
import { type Graph, type GraphNode, groupOf } from './random-graph.ts';

/** A node that is the same in several revisions by its name; parents are named, too. */
export interface NamedNode extends Omit<GraphNode, 'parents'> {
  readonly name: string;
  readonly details: number;
  readonly pool: string;
  readonly parents: readonly {
    readonly name: string;
    readonly on: GraphNode['parents'][number]['on'];
  }[];
}

export type Draw = (n: number) => number;

export function nameNodes(graph: Graph): readonly NamedNode[] {
  return graph.map((node, id) => ({
    ...node,
    ...{ name: `t${id}`, details: 0, pool: 'default' },
    parents: node.parents.map((parent) => ({ name: `t${parent.id}`, on: parent.on })),
  }));
}

/** Some nodes go, some come, some change: details, parents, policies. What runs anew may end otherwise. */
export function editNodes(
  nodes: readonly NamedNode[],
  draw: Draw,
  round: number,
): readonly NamedNode[] {
  const edited: NamedNode[] = [];
  const kept = nodes.filter(() => draw(10) > 0);
  const names = new Set(kept.map(({ name }) => name));
  for (const [index, node] of kept.entries()) {
    if (draw(10) === 0) edited.push(newNode(edited, draw, `n${round}.${index}`));
    const parents = node.parents.filter(({ name }) => names.has(name));
    edited.push(changeNode({ ...node, parents }, edited, draw));
  }
  if (edited.length === 0) edited.push(newNode([], draw, `n${round}`));
  return edited;
}

function changeNode(node: NamedNode, before: readonly NamedNode[], draw: Draw): NamedNode {
  switch (draw(16)) {
    case 0:
      return {
        ...node,
        details: node.details + 1,
        attempts: [draw(3) === 0 ? 'failed' : 'succeeded'],
      };
    case 1:
      return { ...node, parents: node.parents.slice(1) };
    case 2: {
      const other = before[draw(before.length)];
      const isKnown = node.parents.some(({ name }) => name === other?.name);
      if (other === undefined || isKnown) return node;
      const on = node.runIf === 'any-failed' ? 'failed' : 'succeeded';
      return { ...node, parents: [...node.parents, { name: other.name, on }] };
    }
    case 3:
      return { ...node, allowFailure: !node.allowFailure };
    case 4:
      return { ...node, pool: node.pool === 'default' ? 'other' : 'default' };
    default:
      return node;
  }
}

function newNode(before: readonly NamedNode[], draw: Draw, name: string): NamedNode {
  const parent = before[draw(before.length)];
  return {
    ...{ name, details: 0, pool: 'default', isBarrier: draw(6) === 0, retries: draw(2) },
    ...{ allowFailure: draw(2) === 0, runIf: draw(2) === 0 ? 'all-succeeded' : 'all-done' },
    attempts: ['succeeded'],
    parents: parent === undefined ? [] : [{ name: parent.name, on: 'succeeded' }],
  };
}

/** The plan that a spec would give for these nodes. */
export function planOfNodes(nodes: readonly NamedNode[]): Plan {
  const groups: Group[] = [];
  const numbers = new Map<string, number>();
  const ranges: number[] = [];
  const edges: number[] = [];
  const offsets = [0];
  const places = placesOf(nodes);
  for (const [id, node] of nodes.entries()) {
    const key = `${node.isBarrier}:${node.retries}:${node.allowFailure}:${node.pool}`;
    const number = numbers.get(key) ?? groups.length;
    if (number === groups.length) {
      numbers.set(key, number);
      // Policies make groups, not classes.
      groups.push({ ...groupOf(node, classOfNode(node.isBarrier)), pool: node.pool });
    }
    if (ranges.length === 0 || ranges.at(-1) !== number) ranges.push(id, number);
    const own = node.parents.map(({ name, on }) =>
      packEdge(places.get(name) ?? 0, on, edgeRuleOf(node.runIf)),
    );
    edges.push(...own.sort((a, b) => (a & 0xff_ff_ff) - (b & 0xff_ff_ff)));
    offsets.push(edges.length);
  }
  return {
    ...{ name: null, tags: {}, texts: null, onFailure: 'continue', parallelism: null },
    nodeCount: nodes.length,
    barrierCount: nodes.filter((node) => node.isBarrier).length,
    groups,
    groupRanges: Uint32Array.from(ranges),
    parentOffsets: Uint32Array.from(offsets),
    parents: Uint32Array.from(edges),
    *payloads() {
      for (const { name, details } of nodes)
        yield { values: [], id: name, details: { n: details } };
    },
  };
}

export function classOfNode(isBarrier: boolean): string {
  return isBarrier ? 'point' : 'work';
}

export function placesOf(nodes: readonly NamedNode[]): ReadonlyMap<string, number> {
  return new Map(nodes.map(({ name }, place) => [name, place]));
}

/** The nodes with their parents by place. */
export function graphOf(nodes: readonly NamedNode[]): Graph {
  const places = placesOf(nodes);
  return nodes.map((node) => ({
    ...node,
    parents: node.parents.map(({ name, on }) => ({ id: places.get(name) ?? -1, on })),
  }));
}

type ExpectedFate = 'reused' | 'kept' | 'rerun' | 'new' | 'barrier';

/** Fates by name, computed from the rules as they are written in the docs, node by node. */
export function fatesByName(
  before: readonly NamedNode[],
  after: readonly NamedNode[],
  stateOf: (name: string) => FinalTaskState | null,
): ReadonlyMap<string, ExpectedFate> {
  const old = new Map(before.map((node) => [node.name, node]));
  const fates = new Map<string, ExpectedFate>();
  const anew = new Set<string>();
  for (const node of after) {
    const was = old.get(node.name);
    const isSame = was !== undefined && contentOf(was) === contentOf(node);
    const isBelow = node.parents.some(({ name }) => anew.has(name));
    const fate = fateOf(node, isSame && !isBelow, {
      isNew: was === undefined || was.isBarrier !== node.isBarrier,
      state: stateOf(node.name),
    });
    fates.set(node.name, fate.name);
    if (fate.isAnew) anew.add(node.name);
  }
  return fates;
}

function fateOf(
  node: NamedNode,
  isUntouched: boolean,
  { isNew, state }: { readonly isNew: boolean; readonly state: FinalTaskState | null },
): { readonly name: ExpectedFate; readonly isAnew: boolean } {
  if (node.isBarrier) return { name: 'barrier', isAnew: isNew || !isUntouched };
  if (isNew) return { name: 'new', isAnew: true };
  if (!isUntouched) return { name: 'rerun', isAnew: true };
  if (state === null) return { name: 'kept', isAnew: false };
  const isEnd = state === 'succeeded' || state === 'skipped';
  return isEnd ? { name: 'reused', isAnew: false } : { name: 'rerun', isAnew: true };
}

function contentOf(node: NamedNode): string {
  const parents = node.parents.map(({ name, on }) => `${name} ${on}`).sort();
  const rule = parents.length === 0 ? '' : edgeRuleOf(node.runIf);
  // What an edge waits for is a part of it, whatever the rule.
  return JSON.stringify([node.isBarrier ? 0 : node.details, rule, parents]);
}

/** A state that is there already, as a node of its own that comes to it. */
export function fixed(state: FinalTaskState): GraphNode {
  const alone = {
    ...{ isBarrier: false, parents: [], retries: 0, allowFailure: true },
    runIf: 'all-succeeded',
  } as const;
  switch (state) {
    case 'succeeded':
      return { ...alone, attempts: ['succeeded'] };
    case 'failed':
    case 'upstream-failed':
      return { ...alone, attempts: ['failed'] };
    default:
      return { ...alone, runIf: 'any-failed', parents: [{ id: -1, on: 'failed' }], attempts: [] };
  }
}
