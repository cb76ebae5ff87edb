import { edgeCondition, edgeId, edgeRuleOf, ons, packEdge, type Steps } from '@runnel/core';
import { type Barrier, barrierKey, countTasks, edgeOf, visitTasks } from './barriers.ts';
import { type Entry, pathOf, taskName } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import { type Join, visitMatches } from './joins.ts';
import type { Link, Links } from './links.ts';
import { describeConflict } from './simplify-links.ts';

/** What edges are made of. */
export interface EdgeContext {
  readonly entries: readonly Entry[];
  readonly links: Links;
  readonly joins: ReadonlyMap<Link, Join>;
  readonly barriers: ReadonlyMap<string, Barrier>;
  readonly taskCount: number;
  readonly issues: IssueList;
}

export interface Edges {
  readonly parentOffsets: Uint32Array;
  readonly parents: Uint32Array;
}

/** How many edges there are at most; doubled ones count twice. */
export function countEdges(context: EdgeContext): number {
  let count = 0;
  for (const barrier of context.barriers.values()) count += barrier.taskCount;
  for (const entry of context.entries) {
    for (const link of context.links[entry.index] ?? []) count += countOfLink(entry, link, context);
  }
  return count;
}

function countOfLink(entry: Entry, link: Link, { joins, barriers }: EdgeContext): number {
  if (link.kind === 'match') return joins.get(link)?.edgeCount ?? 0;
  const rows = link.childRow === null ? entry.table.count : 1;
  if (link.kind === 'task' || barriers.has(barrierKey(link, entry.runIf))) return rows;
  return rows * countTasks(link.parents);
}

/** Nodes between two turns of others. */
const nodesPerStep = 4096;

/** The parents of every node, sorted by id, in one array. `countEdges` was checked before. */
export function* buildEdges(context: EdgeContext): Steps<Edges> {
  const { entries, barriers, taskCount } = context;
  const writer = new EdgeWriter(taskCount + barriers.size, countEdges(context));
  let nodes = 0;
  for (const entry of entries) {
    const links = context.links[entry.index] ?? [];
    const adders = links.map((link) => adderOf(entry, link, { context, writer }));
    for (let row = 0; row < entry.table.count; row++) {
      for (const add of adders) add(row);
      const doubled = writer.endNode();
      if (doubled !== null) addConflict(entry, doubled, context);
      if (++nodes % nodesPerStep === 0) yield;
    }
  }
  for (const barrier of barriers.values()) {
    yield;
    visitTasks(barrier.parents, (id) => writer.add(edgeOf(barrier.runIf, barrier.on, id)));
    writer.endNode();
  }
  return writer.finish();
}

/** A function that adds what one link gives to one row. */
function adderOf(
  entry: Entry,
  link: Link,
  { context, writer }: { readonly context: EdgeContext; readonly writer: EdgeWriter },
): (row: number) => void {
  const { runIf } = entry;
  const { on, childRow } = link;
  if (link.kind === 'match') {
    const join = context.joins.get(link);
    const addEdge = (id: number): void => writer.add(edgeOf(runIf, on, id));
    return (row) => (join === undefined ? undefined : visitMatches(join, row, addEdge));
  }
  const isMeant = (row: number): boolean => childRow === null || childRow === row;
  if (link.kind === 'task') {
    const edge = edgeOf(runIf, on, link.entry.firstId + link.row);
    return (row) => (isMeant(row) ? writer.add(edge) : undefined);
  }
  const barrier = context.barriers.get(barrierKey(link, runIf));
  if (barrier !== undefined) {
    const id = context.taskCount + barrier.index;
    const edge = packEdge(id, 'succeeded', edgeRuleOf(runIf));
    return (row) => (isMeant(row) ? writer.add(edge) : undefined);
  }
  return (row) => {
    if (isMeant(row)) visitTasks(link.parents, (id) => writer.add(edgeOf(runIf, on, id)));
  };
}

function addConflict(
  entry: Entry,
  doubled: { readonly row: number; readonly edges: readonly [number, number] },
  { entries, issues }: EdgeContext,
): void {
  const [first, second] = doubled.edges;
  const nameOf = (id: number): string => {
    const parent = entries.findLast((candidate) => candidate.firstId <= id);
    return parent === undefined ? '' : taskName(parent, id - parent.firstId);
  };
  const on = (edge: number) => ons[edgeCondition(edge) & 3] ?? 'succeeded';
  issues.add(pathOf(entry, 'parents'), () =>
    describeConflict(nameOf(edgeId(second)), on(second), on(first)),
  );
}

/** Appends node after node; sorts and cleans only what is not in order already. */
export class EdgeWriter {
  readonly #offsets: Uint32Array;
  readonly #parents: Uint32Array;
  #node = 0;
  #start = 0;
  #length = 0;
  #isOrdered = true;
  #lastId = -1;

  constructor(nodeCount: number, maxEdges: number) {
    this.#offsets = new Uint32Array(nodeCount + 1);
    this.#parents = new Uint32Array(maxEdges);
  }

  add(edge: number): void {
    const id = edgeId(edge);
    if (id <= this.#lastId) this.#isOrdered = false;
    this.#lastId = id;
    this.#parents[this.#length++] = edge;
  }

  /** Two edges from one parent that differ in their condition, or null. */
  endNode(): { row: number; edges: readonly [number, number] } | null {
    const doubled = this.#isOrdered ? null : this.#sortNode();
    const row = this.#node++;
    this.#offsets[this.#node] = this.#length;
    this.#start = this.#length;
    this.#isOrdered = true;
    this.#lastId = -1;
    return doubled === null ? null : { row, edges: doubled };
  }

  #sortNode(): readonly [number, number] | null {
    const edges = this.#parents.slice(this.#start, this.#length);
    sortById(edges);
    let doubled: readonly [number, number] | null = null;
    let last = -1;
    this.#length = this.#start;
    for (const edge of edges) {
      const isSame = last !== -1 && edgeId(last) === edgeId(edge);
      if (isSame && last !== edge) doubled ??= [last, edge];
      if (isSame) continue;
      this.#parents[this.#length++] = edge;
      last = edge;
    }
    return doubled;
  }

  finish(): Edges {
    const isFull = this.#length === this.#parents.length;
    return {
      parentOffsets: this.#offsets,
      parents: isFull ? this.#parents : this.#parents.slice(0, this.#length),
    };
  }
}

/** Up to so many edges are put in order without a call for each comparison. */
const maxInserted = 16;

export function sortById(edges: Uint32Array): void {
  if (edges.length > maxInserted) {
    edges.sort((a, b) => edgeId(a) - edgeId(b));
    return;
  }
  for (let index = 1; index < edges.length; index++) {
    const edge = edges[index] ?? 0;
    let to = index;
    for (; to > 0 && edgeId(edges[to - 1] ?? 0) > edgeId(edge); to--)
      edges[to] = edges[to - 1] ?? 0;
    edges[to] = edge;
  }
}
