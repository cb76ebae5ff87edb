import {
  edgeCondition,
  edgeId,
  edgeRules,
  type Group,
  packEdge,
  type Steps,
  silentOn,
} from '@runnel/core';
import { edgeToChild, edgeToEnd, endGroup } from '@runnel/spec';
import type { GeneratedRecord, NodeSpan } from '@runnel/store';
import { type LiveSet, nodesOf, type OldRevision } from './live-sets.ts';
import type { Numbering } from './match-nodes.ts';
import { type NodeFacts, nodeKinds } from './node-facts.ts';
import type { Edges } from './renumber.ts';

/** A barrier that an edit puts into a carried set. */
export interface AddedBarrier {
  readonly number: number;
  readonly kind: number;
  /** As its parents' edges; the group of the set's start barrier where none is given. */
  readonly group: Group | null;
  readonly start: number;
  /** Packed, ascending. */
  readonly parents: readonly number[];
}

/** A set as it is part of the new revision. */
export interface CarriedSet {
  readonly generator: number;
  readonly record: GeneratedRecord;
  readonly spans: readonly NodeSpan[];
}

/** Carried sets, joined to the end barriers of their generators. */
export interface JoinedSets {
  readonly sets: readonly CarriedSet[];
  /** With numbers from the numbering's count on. */
  readonly added: readonly AddedBarrier[];
  /** End barrier -> packed edge from the barrier that gathers the set. */
  readonly gathers: ReadonlyMap<number, number>;
  /** Barriers that gather a set under a condition that nobody has any more. */
  readonly unused: ReadonlySet<number>;
  readonly nodeCount: number;
}

/**
 * A new revision has its own end barriers between a generator and its children. Each waits for a barrier that
 * gathers all of the set under the same condition: one that is there already, or a new one. Where generators of
 * the set have no end barrier under that condition they get one, and so on in what these have generated.
 */
export function* joinSets(
  old: OldRevision,
  {
    plan,
    fresh,
  }: { readonly plan: Pick<Edges, 'parentOffsets' | 'parents'>; readonly fresh: NodeFacts },
  { numbering, sets }: { readonly numbering: Numbering; readonly sets: readonly LiveSet[] },
): Steps<JoinedSets> {
  const joiner = new Joiner(old, numbering.nodeCount);
  joiner.addOldEnds(numbering.isCarried);
  for (let node = 0; node < fresh.nodeCount; node++) {
    if (fresh.kinds[node] !== nodeKinds.end) continue;
    const edge = plan.parents[plan.parentOffsets[node] ?? 0] ?? 0;
    const generator = numbering.numberOf[edgeId(edge)] ?? 0;
    joiner.addEnd(generator, edgeCondition(edge), numbering.numberOf[node] ?? 0);
  }
  return yield* joiner.join(sets);
}

const nodesPerStep = 16_384;

/** By generator: condition -> node. */
type ByCondition = Map<number, Map<number, number>>;

class Joiner {
  readonly #old: OldRevision;
  readonly #ends: ByCondition = new Map();
  readonly #gatherOf: ByCondition = new Map();
  readonly #gathers = new Map<number, number>();
  readonly #added: AddedBarrier[] = [];
  #next: number;

  constructor(old: OldRevision, nodeCount: number) {
    this.#old = old;
    this.#next = nodeCount;
  }

  /** Those of generated generators go on; of the others it is only looked at what gathers for them. */
  addOldEnds(isCarried: Uint8Array): void {
    const { facts, edges, sets } = this.#old;
    for (let node = 0; node < facts.nodeCount; node++) {
      if (facts.kinds[node] !== nodeKinds.end) continue;
      const edge = edges.parents[edges.parentOffsets[node] ?? 0] ?? 0;
      const gather = sets.gathers.get(node)?.[0];
      if (isCarried[node] === 1) this.addEnd(edgeId(edge), edgeCondition(edge), node);
      if (gather !== undefined) {
        put(this.#gatherOf, edgeId(edge), edgeCondition(edge), edgeId(gather));
      }
    }
  }

  addEnd(generator: number, condition: number, end: number): void {
    put(this.#ends, generator, condition, end);
  }

  *join(sets: readonly LiveSet[]): Steps<JoinedSets> {
    const joined: CarriedSet[] = [];
    for (const set of sets) joined.push(yield* this.#joinSet(set));
    const used = new Set([...this.#gathers.values()].map(edgeId));
    const known = sets.flatMap(({ generator }) => [
      ...(this.#gatherOf.get(generator)?.values() ?? []),
    ]);
    return {
      sets: joined,
      added: this.#added,
      gathers: this.#gathers,
      unused: new Set(known.filter((gather) => !used.has(gather))),
      nodeCount: this.#next,
    };
  }

  *#joinSet(set: LiveSet): Steps<CarriedSet> {
    const { generator, record } = set;
    const first = this.#next;
    const [gathers, ends]: [number[], number[]] = [[], []];
    for (const [condition, end] of this.#ends.get(generator) ?? []) {
      const gather =
        this.#gatherOf.get(generator)?.get(condition) ?? (yield* this.#addGather(set, condition));
      const rule = edgeRules[condition >>> 2] ?? 'all';
      this.#gathers.set(end, packEdge(gather, 'succeeded', rule));
      gathers.push(gather);
      ends.push(end);
    }
    if (first === this.#next)
      return { generator, spans: set.spans, record: { ...record, gathers, ends } };
    const span: [number, number] = [first, this.#next];
    const added = [...(record.added ?? []), span];
    return { generator, spans: [...set.spans, span], record: { ...record, gathers, ends, added } };
  }

  /** As compose-set.ts has it for a set that is new. */
  *#addGather(set: LiveSet, condition: number): Steps<number> {
    const { facts } = this.#old;
    const { start } = set.record;
    const own = (condition & 3) === silentOn ? condition & ~3 : condition;
    const parents: number[] = [];
    for (const node of nodesOf(set)) {
      if (node % nodesPerStep === 0) yield;
      if (facts.kinds[node] !== nodeKinds.task) continue;
      const edge = ((own << 24) | node) >>> 0;
      parents.push(
        this.#isGenerator(node) ? edgeToChild(this.#endOf(node, edge, start), edge) : edge,
      );
    }
    if (parents.length === 0) parents.push(((own << 24) | start) >>> 0);
    if (!isAscending(parents)) parents.sort((a, b) => edgeId(a) - edgeId(b));
    return this.#add({ kind: nodeKinds.hidden, group: null, start, parents });
  }

  #isGenerator(node: number): boolean {
    return this.#groupAt(node)?.generator !== undefined;
  }

  #endOf(generator: number, edge: number, start: number): number {
    const parent = edgeToEnd(edge);
    const condition = edgeCondition(parent);
    const known = this.#ends.get(generator)?.get(condition);
    if (known !== undefined) return known;
    const group = endGroup(this.#groupAt(generator), edgeCondition(edge));
    const end = this.#add({ kind: nodeKinds.end, group, start, parents: [parent] });
    this.addEnd(generator, condition, end);
    return end;
  }

  #groupAt(node: number): Group | undefined {
    const { facts } = this.#old;
    return facts.groups[facts.groupOf[node] ?? 0];
  }

  #add(barrier: Omit<AddedBarrier, 'number'>): number {
    const number = this.#next++;
    this.#added.push({ ...barrier, number });
    return number;
  }
}

function put(into: ByCondition, node: number, condition: number, value: number): void {
  const own = into.get(node) ?? new Map<number, number>();
  into.set(node, own);
  own.set(condition, value);
}

function isAscending(edges: readonly number[]): boolean {
  return edges.every((edge, index) => edgeId(edge) >= edgeId(edges[index - 1] ?? 0));
}
