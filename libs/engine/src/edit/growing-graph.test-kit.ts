import type { On, RunIf } from '@runnel/core';

/** A number below `n`. */
export type Draw = (n: number) => number;

/** A task of a spec, or two of a class, that may generate more such. */
export interface GrowNode {
  /** Its class. */
  readonly name: string;
  readonly details: number;
  readonly isTwice: boolean;
  readonly pool: string;
  readonly runIf: RunIf;
  readonly parents: readonly { readonly name: string; readonly on: On }[];
  /** Of a generated one: a class around its generator that it waits for, too. */
  readonly outer: string | null;
  /** Null: no generator. */
  readonly set: readonly GrowNode[] | null;
}

const rules: readonly RunIf[] = [
  ...(['all-succeeded', 'all-succeeded', 'all-succeeded', 'none-failed'] as const),
  ...(['any-succeeded', 'any-failed', 'all-done'] as const),
];
const ons: readonly On[] = ['succeeded', 'succeeded', 'failed', 'done'];
const letters = 'abc';

function pick<T>(draw: Draw, all: readonly T[], otherwise: T): T {
  return all[draw(all.length)] ?? otherwise;
}

/** Classes of this depth, each with parents among those before it. */
export function drawGraph(
  draw: Draw,
  size: number,
  around: readonly GrowNode[] = [],
  depth = 0,
): readonly GrowNode[] {
  const nodes: GrowNode[] = [];
  for (let at = 0; at < size; at++) {
    nodes.push(drawNode(draw, `${letters[depth]}${at}`, { nodes, around, depth }));
  }
  return nodes;
}

interface Place {
  readonly nodes: readonly GrowNode[];
  readonly around: readonly GrowNode[];
  readonly depth: number;
}

function drawNode(draw: Draw, name: string, place: Place): GrowNode {
  const { nodes, around, depth } = place;
  const runIf = pick(draw, rules, 'all-succeeded');
  const plain = around.filter(({ set }) => set === null);
  return {
    ...{ name, runIf, details: 0, pool: 'default', isTwice: draw(4) === 0 },
    parents: drawParents(draw, runIf, nodes),
    outer: draw(2) === 0 ? (plain[draw(plain.length)]?.name ?? null) : null,
    set: depth < 2 && draw(3) === 0 ? drawGraph(draw, draw(4), nodes, depth + 1) : null,
  };
}

function drawParents(draw: Draw, runIf: RunIf, nodes: readonly GrowNode[]): GrowNode['parents'] {
  const names = new Set(Array.from({ length: draw(3) }, () => nodes[draw(nodes.length)]?.name));
  return [...names].flatMap((name) => {
    const on = runIf === 'all-succeeded' ? pick(draw, ons, 'succeeded') : 'succeeded';
    return name === undefined ? [] : [{ name, on }];
  });
}

/** Some go, some come, some change; what is generated changes only with its generator. */
export function editGraph(
  nodes: readonly GrowNode[],
  draw: Draw,
  round: number,
): readonly GrowNode[] {
  const kept = nodes.filter(() => draw(12) > 0);
  const names = new Set(kept.map(({ name }) => name));
  const edited: GrowNode[] = [];
  for (const [index, node] of kept.entries()) {
    const place = { nodes: edited, around: [], depth: 0 };
    if (draw(8) === 0) edited.push(drawNode(draw, `n${round}_${index}`, place));
    const parents = node.parents.filter(({ name }) => names.has(name));
    edited.push(changeNode({ ...node, parents }, edited, draw));
  }
  if (edited.length === 0) edited.push(...drawGraph(draw, 2));
  return edited;
}

function changeNode(node: GrowNode, before: readonly GrowNode[], draw: Draw): GrowNode {
  switch (draw(18)) {
    case 0:
      return { ...node, details: node.details + 1 };
    case 1:
      return { ...node, parents: node.parents.slice(1) };
    case 2: {
      const other = before[draw(before.length)];
      const isKnown = node.parents.some(({ name }) => name === other?.name);
      if (other === undefined || isKnown) return node;
      return { ...node, parents: [...node.parents, { name: other.name, on: 'succeeded' }] };
    }
    case 3: {
      const parents = node.parents.map(({ name }) => ({ name, on: 'succeeded' as const }));
      return { ...node, runIf: pick(draw, rules, node.runIf), parents };
    }
    case 4:
      return { ...node, pool: node.pool === 'default' ? 'large' : 'default' };
    case 5:
      return { ...node, set: node.set === null ? drawGraph(draw, draw(4), before, 1) : null };
    case 6:
      return { ...node, isTwice: !node.isTwice };
    default:
      return node;
  }
}

/** Ids of the tasks of a class, without what stands before them in a set. */
export function instancesOf({ name, isTwice }: GrowNode): readonly string[] {
  return isTwice ? [`${name}:N=1`, `${name}:N=2`] : [name];
}

/** As a user would write them. */
export function entriesOf(nodes: readonly GrowNode[]): readonly object[] {
  return nodes.map((node) => {
    const own = node.parents.map(({ name, on }) =>
      node.runIf === 'all-succeeded' ? { class: name, on } : name,
    );
    return {
      ...{ class: node.name, executor: 'noop', runIf: node.runIf, pool: node.pool },
      ...{ version: node.details, parents: [...own, ...(node.outer === null ? [] : [node.outer])] },
      ...(node.isTwice ? { parameters: { N: [1, 2] } } : {}),
      ...(node.set === null ? {} : { generator: true }),
    };
  });
}

/** What a generator generates now: parents that are not around it any more are left out. */
export function setOf(node: GrowNode, around: readonly GrowNode[]): readonly GrowNode[] {
  const stop = around.findIndex(({ name }) => name === node.name);
  const plain = new Set(
    around.slice(0, stop).flatMap(({ name, set }) => (set === null ? [name] : [])),
  );
  return (node.set ?? []).map((one) =>
    one.outer !== null && plain.has(one.outer) ? one : { ...one, outer: null },
  );
}
