import { type NodeFacts, nodeKinds } from './node-facts.ts';

/** Nodes that both revisions have. */
export interface Matching {
  /** By node of the new revision: its old number, where it had one. */
  readonly numberOf: Uint32Array;
  /** By old number: the node of the new revision and one more; 0 where there is none. */
  readonly freshOf: Uint32Array;
  /** Nodes of the new revision that the old one does not have, ascending. */
  readonly left: readonly number[];
}

/** Which number each node of a new revision gets in the run. */
export interface Numbering {
  /** By node of the new revision. */
  readonly numberOf: Uint32Array;
  /** By number: the node of the new revision and one more; 0 where there is none. */
  readonly nodeOf: Uint32Array;
  /** By number below the old count: 1 where the node of that number goes on. */
  readonly isMatched: Uint8Array;
  /** The same of what is in a generated set that goes on. */
  readonly isCarried: Uint8Array;
  readonly nodeCount: number;
}

/**
 * Finds what both revisions have: tasks, and barriers but those behind generators. What was generated is no
 * part of a spec, whatever its ids.
 *
 * @param setOf by old node: 0 where it was not generated.
 */
export function matchNodes(old: NodeFacts, fresh: NodeFacts, setOf: Uint32Array): Matching {
  const table = new IdTable(old, setOf);
  const numberOf = new Uint32Array(fresh.nodeCount);
  const freshOf = new Uint32Array(old.nodeCount);
  const left: number[] = [];
  for (let node = 0; node < fresh.nodeCount; node++) {
    const found = table.find(fresh, node);
    if (found === -1) left.push(node);
    else {
      numberOf[node] = found;
      freshOf[found] = node + 1;
    }
  }
  return { numberOf, freshOf, left };
}

/**
 * A node that both revisions have keeps its number: everything that is kept of it (outputs, attempts, logs)
 * is found by that. So do generated tasks that go on. New tasks get numbers behind the old ones; new barriers,
 * of which nothing is kept, those of barriers and of removed tasks that nobody has any more.
 */
export function numberNodes(
  old: NodeFacts,
  fresh: NodeFacts,
  { matching, isCarried }: { readonly matching: Matching; readonly isCarried: Uint8Array },
): Numbering {
  const numberOf = matching.numberOf.slice();
  const isMatched = isCarried.slice();
  for (const [number, node] of matching.freshOf.entries()) if (node !== 0) isMatched[number] = 1;
  let next = old.nodeCount;
  const free = freeNumbers(old, isMatched);
  for (const node of matching.left) {
    const isTask = fresh.kinds[node] === nodeKinds.task;
    numberOf[node] = (isTask ? undefined : free.next().value) ?? next++;
  }
  const nodeOf = new Uint32Array(next);
  for (let node = 0; node < fresh.nodeCount; node++) nodeOf[numberOf[node] ?? 0] = node + 1;
  return { numberOf, nodeOf, isMatched, isCarried, nodeCount: next };
}

/** Numbers of nodes that are no tasks and go on no more. Those of tasks that are removed now still have traces. */
function* freeNumbers(old: NodeFacts, isMatched: Uint8Array): Generator<number, undefined> {
  for (let node = 0; node < old.nodeCount; node++) {
    const kind = old.kinds[node];
    const isTask = kind === nodeKinds.task || kind === nodeKinds.replaced;
    if (isMatched[node] === 0 && !isTask) yield node;
  }
  return undefined;
}

/** Finds nodes by the hashes of their ids: open addressing over typed arrays, as a million ids are no Map. */
class IdTable {
  readonly #facts: NodeFacts;
  readonly #slots: Uint32Array;
  readonly #mask: number;

  constructor(facts: NodeFacts, setOf: Uint32Array) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, facts.nodeCount * 2)));
    this.#facts = facts;
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    for (let node = 0; node < facts.nodeCount; node++) {
      if (setOf[node] === 0 && matched.has(facts.kinds[node] ?? 0)) this.#add(node);
    }
  }

  /** The node with the same id, of the same kind; -1 where there is none. */
  find(other: NodeFacts, node: number): number {
    const low = other.ids[node * 2] ?? 0;
    const high = other.ids[node * 2 + 1] ?? 0;
    const { ids, kinds } = this.#facts;
    for (let at = low & this.#mask; ; at = (at + 1) & this.#mask) {
      const found = (this.#slots[at] ?? 0) - 1;
      if (found === -1) return -1;
      if (ids[found * 2] !== low || ids[found * 2 + 1] !== high) continue;
      return kinds[found] === other.kinds[node] ? found : -1;
    }
  }

  #add(node: number): void {
    let at = (this.#facts.ids[node * 2] ?? 0) & this.#mask;
    while ((this.#slots[at] ?? 0) !== 0) at = (at + 1) & this.#mask;
    this.#slots[at] = node + 1;
  }
}

const matched: ReadonlySet<number> = new Set([nodeKinds.task, nodeKinds.barrier, nodeKinds.hidden]);
