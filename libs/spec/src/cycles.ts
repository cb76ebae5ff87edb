import type { Steps } from '@runnel/core';
import { baseOf, type Entry, pathOf } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import type { Links } from './links.ts';
import type { TaskClass } from './names.ts';

/** One mistake can close thousands of cycles. */
const maxCycles = 10;

/**
 * Notes cycles with their path. Entries are nodes, and so is each class that somebody waits for as
 * a whole: the graph stays as small as the spec.
 */
export function* findCycles(
  entries: readonly Entry[],
  links: Links,
  issues: IssueList,
): Steps<void> {
  const graph = new EntryGraph(entries, links);
  yield* searchCycles(graph, (cycle) => {
    const named = cycle.flatMap((node) => entries[node] ?? []);
    const [first] = named;
    if (first === undefined) return;
    const nodes = named.map((entry) => ({ node: entry.index, name: baseOf(entry) }));
    issues.add(pathOf(first), describeCycle(nodes));
  });
}

/** From a child to its parents; entries come before all other nodes. */
export interface ParentGraph {
  readonly entryCount: number;
  readonly nodeCount: number;
  parentOf(node: number, position: number): number | undefined;
}

/** Edges between two turns of others. */
const edgesPerStep = 16_384;

/** Tells the first cycles. The search has a stack of its own. */
export function* searchCycles(
  graph: ParentGraph,
  tell: (cycle: readonly number[]) => void,
): Steps<void> {
  const search = new Search(graph.nodeCount);
  let found = 0;
  let steps = 0;
  for (let start = 0; start < graph.entryCount; start++) {
    if (!search.begin(start)) continue;
    for (let node = search.top(); node !== undefined; node = search.top()) {
      if (++steps % edgesPerStep === 0) yield;
      const open = search.visit(node, graph.parentOf(node, search.nextPosition(node)));
      if (open === undefined) continue;
      tell(search.cycleTo(open));
      if (++found === maxCycles) return;
    }
  }
}

class EntryGraph implements ParentGraph {
  readonly #entries: readonly Entry[];
  readonly #links: Links;
  readonly #classes: TaskClass[] = [];
  readonly #numbers = new Map<TaskClass, number>();

  constructor(entries: readonly Entry[], links: Links) {
    this.#entries = entries;
    this.#links = links;
    for (const ofEntry of links) {
      for (const link of ofEntry) {
        if (link.kind !== 'task' && link.parents.entry === null) this.#addClass(link.parents.class);
      }
    }
  }

  #addClass(set: TaskClass): void {
    if (this.#numbers.has(set)) return;
    this.#numbers.set(set, this.#entries.length + this.#classes.length);
    this.#classes.push(set);
  }

  get entryCount(): number {
    return this.#entries.length;
  }

  get nodeCount(): number {
    return this.#entries.length + this.#classes.length;
  }

  parentOf(node: number, position: number): number | undefined {
    if (node >= this.#entries.length) {
      return this.#classes[node - this.#entries.length]?.entries[position]?.index;
    }
    const link = this.#links[node]?.[position];
    if (link === undefined) return undefined;
    if (link.kind === 'task') return link.entry.index;
    return link.parents.entry?.index ?? this.#numbers.get(link.parents.class);
  }
}

/** Depth first: a node is new, open (on the stack) or done. */
class Search {
  readonly #state: Uint8Array;
  readonly #positions: Uint32Array;
  readonly #stack: Uint32Array;
  #height = 0;

  constructor(nodeCount: number) {
    this.#state = new Uint8Array(nodeCount);
    this.#positions = new Uint32Array(nodeCount);
    this.#stack = new Uint32Array(nodeCount);
  }

  /** False where the node was begun before. */
  begin(node: number): boolean {
    if (this.#state[node] !== 0) return false;
    this.#state[node] = 1;
    this.#stack[this.#height++] = node;
    return true;
  }

  /** Goes on to the next parent of a node; gives it back where that closes a cycle. */
  visit(node: number, parent: number | undefined): number | undefined {
    if (parent === undefined) {
      this.#leave(node);
      return undefined;
    }
    return !this.begin(parent) && this.#state[parent] === 1 ? parent : undefined;
  }

  top(): number | undefined {
    return this.#height === 0 ? undefined : this.#stack[this.#height - 1];
  }

  nextPosition(node: number): number {
    const position = this.#positions[node] ?? 0;
    this.#positions[node] = position + 1;
    return position;
  }

  #leave(node: number): void {
    this.#state[node] = 2;
    this.#height--;
  }

  /** From an open node along its children back to it. */
  cycleTo(node: number): number[] {
    const from = this.#stack.indexOf(node);
    const upwards = [...this.#stack.subarray(from, this.#height)];
    return [node, ...upwards.slice(1).reverse(), node];
  }
}

/** The entries of a cycle, from the first along its children and back. */
export function describeCycle(
  cycle: readonly { readonly node: number; readonly name: string }[],
): string {
  const names = cycle.map((entry) => entry.name);
  // A cycle through a class as a node has its entry only once.
  const isClosed = cycle.length > 1 && cycle.at(-1)?.node === cycle[0]?.node;
  const closed = isClosed ? names : [...names, ...names.slice(0, 1)];
  const shown = closed.length <= 20 ? closed : [...closed.slice(0, 10), '…', ...closed.slice(-9)];
  return `the tasks wait for each other: ${shown.join(' → ')}`;
}
