import { edgeId } from '@runnel/core';
import { type GeneratedRecord, type LaterEdges, type NodeSpan, spansOf } from '@runnel/store';
import { type NodeFacts, nodeKinds } from './node-facts.ts';
import type { Edges } from './renumber.ts';

/** What a generator has generated, as it is part of a run. */
export interface LiveSet {
  readonly generator: number;
  readonly record: GeneratedRecord;
  /** Its nodes. */
  readonly spans: readonly NodeSpan[];
  /** Tasks of the run that it waits for, besides its generator. */
  readonly outer: readonly number[];
}

/** The sets of a run, and where they are. */
export interface LiveSets {
  /** A set comes before those that its tasks generated. */
  readonly all: readonly LiveSet[];
  /** By node: the place of its set and one more; 0 for what the run was submitted with. */
  readonly setOf: Uint32Array;
  /** End barrier -> the packed edge from the barrier that gathers the set. */
  readonly gathers: LaterEdges;
}

/** A revision as the run has it. */
export interface OldRevision {
  readonly facts: NodeFacts;
  readonly edges: Edges;
  readonly sets: LiveSets;
}

export function withoutSets(facts: NodeFacts, edges: Edges): OldRevision {
  const setOf = new Uint32Array(facts.nodeCount);
  return { facts, edges, sets: { all: [], setOf, gathers: new Map() } };
}

/** Finds the sets of a run, and marks what is left of those that were replaced. */
export function findSets(
  facts: NodeFacts,
  edges: Edges,
  grown: {
    readonly generated: ReadonlyMap<number, GeneratedRecord>;
    readonly gathers: LaterEdges;
  },
): OldRevision {
  const setOf = new Uint32Array(facts.nodeCount);
  // What a task generated came after it did.
  const records = [...grown.generated].sort(([, a], [, b]) => a.from - b.from);
  for (const [index, [, record]] of records.entries()) {
    for (const [from, to] of spansOf(record)) setOf.fill(index + 1, from, to);
  }
  markReplaced(facts, setOf);
  const all = records.map(([generator, record], index) => {
    const spans = spansOf(record);
    const outer = listOuter(edges, setOf, { own: index + 1, generator, spans });
    return { generator, record, spans, outer };
  });
  return { facts, edges, sets: { all, setOf, gathers: grown.gathers } };
}

/** A set that was replaced is no part of the run: nothing new is to be taken for a task or barrier of it. */
function markReplaced({ nodeCount, groups, groupOf, kinds }: NodeFacts, setOf: Uint32Array): void {
  for (let node = 0; node < nodeCount; node++) {
    if (setOf[node] !== 0 || groups[groupOf[node] ?? 0]?.scope === undefined) continue;
    kinds[node] = kinds[node] === nodeKinds.task ? nodeKinds.replaced : nodeKinds.end;
  }
}

function listOuter(
  { parentOffsets, parents }: Edges,
  setOf: Uint32Array,
  set: { readonly own: number; readonly generator: number; readonly spans: readonly NodeSpan[] },
): readonly number[] {
  const outer = new Set<number>();
  for (const [from, to] of set.spans) {
    const last = parentOffsets[to] ?? 0;
    for (let index = parentOffsets[from] ?? 0; index < last; index++) {
      const parent = edgeId(parents[index] ?? 0);
      if (setOf[parent] !== set.own && parent !== set.generator) outer.add(parent);
    }
  }
  return [...outer];
}

/** Its nodes, ascending but for what was added. */
export function* nodesOf({ spans }: Pick<LiveSet, 'spans'>): Generator<number> {
  for (const [from, to] of spans) for (let node = from; node < to; node++) yield node;
}
