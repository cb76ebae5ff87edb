import { baseOf, type Entry, pathOf } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import type { Links } from './links.ts';
import type { TaskClass } from './names.ts';

/** One mistake can close thousands of cycles. */
const maxCycles = 10;

/**
 * Notes cycles with their path. Entries are nodes, and so is each class that somebody waits for as
 * a whole: the graph stays as small as the spec. The search has a stack of its own.
 */
export function findCycles(entries: readonly Entry[], links: Links, issues: IssueList): void {
  const graph = new ParentGraph(entries, links);
  const search = new Search(graph.nodeCount);
  let found = 0;
  for (let start = 0; start < entries.length && found < maxCycles; start++) {
    if (!search.begin(start)) continue;
    for (let node = search.top(); node !== undefined && found < maxCycles; node = search.top()) {
      const parent = graph.parentOf(node, search.nextPosition(node));
      if (parent === undefined) {
        search.leave(node);
        continue;
      }
      if (search.begin(parent) || !search.isOpen(parent)) continue;
      found++;
      addCycle(graph.namesOf(search.cycleTo(parent)), issues);
    }
  }
}

/** From a child to its parents. */
class ParentGraph {
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

  /** The entries among the nodes. */
  namesOf(nodes: readonly number[]): readonly Entry[] {
    return nodes.flatMap((node) => this.#entries[node] ?? []);
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

  isOpen(node: number): boolean {
    return this.#state[node] === 1;
  }

  top(): number | undefined {
    return this.#height === 0 ? undefined : this.#stack[this.#height - 1];
  }

  nextPosition(node: number): number {
    const position = this.#positions[node] ?? 0;
    this.#positions[node] = position + 1;
    return position;
  }

  leave(node: number): void {
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

function addCycle(cycle: readonly Entry[], issues: IssueList): void {
  const [first] = cycle;
  if (first === undefined) return;
  const named = cycle.map(baseOf);
  // A cycle through a class as a node has its entry only once.
  const closed = cycle.at(-1) === first && cycle.length > 1 ? named : [...named, baseOf(first)];
  const shown = closed.length <= 20 ? closed : [...closed.slice(0, 10), '…', ...closed.slice(-9)];
  issues.add(pathOf(first), `the tasks wait for each other: ${shown.join(' → ')}`);
}
