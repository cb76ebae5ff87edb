import { edgeId, type Steps } from '@runnel/core';
import { type Hash64, hashWord } from './hash64.ts';
import type { Numbering } from './match-nodes.ts';
import { type NodeFacts, nodeKinds } from './node-facts.ts';
import type { Edges, Renumbered } from './renumber.ts';

/** What became of a node by the new spec alone, whatever it has come to. */
export const changes = {
  none: 0,
  details: 1,
  version: 2,
  values: 3,
  parents: 4,
  new: 5,
  /** A task that the new spec has no more; or what was left of one before. */
  gone: 6,
} as const;

const nodesPerStep = 16_384;

/**
 * Compares both revisions, number by number. Together with the order in which fates are told this is what a
 * fingerprint over all ancestors would say: a change above reaches a node as a parent that runs again.
 */
export function* findChanges(
  old: { readonly facts: NodeFacts; readonly edges: Edges },
  fresh: NodeFacts,
  { numbering, structure }: { readonly numbering: Numbering; readonly structure: Renumbered },
): Steps<Uint8Array> {
  const { facts } = old;
  const sumsBefore = yield* sumParents(old.edges, facts.kinds);
  const sums = yield* sumParents(structure, structure.kinds);
  const found = new Uint8Array(structure.nodeCount);
  for (let number = 0; number < structure.nodeCount; number++) {
    const node = (numbering.nodeOf[number] ?? 0) - 1;
    if (structure.kinds[number] === nodeKinds.padding) found[number] = changes.gone;
    else if (numbering.isMatched[number] !== 1) found[number] = changes.new;
    // What was generated is as it was.
    else if (node === -1 || structure.kinds[number] === nodeKinds.hidden) {
      found[number] = changes.none;
    } else {
      found[number] =
        compareTask(facts, number, { facts: fresh, node }) ||
        (isEqual(sumsBefore, number, sums, number) ? changes.none : changes.parents);
    }
    if (number % nodesPerStep === 0) yield;
  }
  return found;
}

function compareTask(
  old: NodeFacts,
  number: number,
  { facts, node }: { readonly facts: NodeFacts; readonly node: number },
): number {
  if (!isEqual(old.details, number, facts.details, node)) return changes.details;
  if (versionOf(old, number) !== versionOf(facts, node)) return changes.version;
  if (!isEqual(old.values, number, facts.values, node)) return changes.values;
  return isEqual(old.inputs, number, facts.inputs, node) ? changes.none : changes.parents;
}

function versionOf({ groups, groupOf }: NodeFacts, node: number): string | number | null {
  return groups[groupOf[node] ?? 0]?.version ?? null;
}

function isEqual(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  return a[i * 2] === b[j * 2] && a[i * 2 + 1] === b[j * 2 + 1];
}

/**
 * By node: a sum over its parents and what it waits for of each, in any order. In place of a hidden barrier
 * its own parents count: whether there is one depends on how many others wait for the same. So they do in place
 * of an end barrier, whose parents are the generator and what gathers the set: the latter is left out.
 */
function* sumParents(edges: Edges, kinds: Uint8Array): Steps<Uint32Array> {
  const sums = new Uint32Array(edges.nodeCount * 2);
  // Of a spec, parents of end barriers are tasks, those of hidden ones tasks, user's barriers and end barriers.
  for (const rank of [0, 1, 2]) {
    for (let node = 0; node < edges.nodeCount; node++) {
      if (rankOf(kinds[node]) === rank) sumNode(edges, kinds, sums, node);
      if (node % nodesPerStep === 0) yield;
    }
  }
  return sums;
}

function rankOf(kind: number | undefined): number {
  if (kind === nodeKinds.end) return 0;
  return kind === nodeKinds.hidden ? 1 : 2;
}

function sumNode(edges: Edges, kinds: Uint8Array, sums: Uint32Array, node: number): void {
  const last = edges.parentOffsets[node + 1] ?? 0;
  const hash: Hash64 = { low: 0, high: 0 };
  for (let index = edges.parentOffsets[node] ?? 0; index < last; index++) {
    const edge = edges.parents[index] ?? 0;
    const parent = edgeId(edge);
    if (kinds[node] === nodeKinds.end && kinds[parent] !== nodeKinds.task) continue;
    if (rankOf(kinds[parent]) < 2) {
      hash.low = sums[parent * 2] ?? 0;
      hash.high = sums[parent * 2 + 1] ?? 0;
    } else hashWord(edge, hash);
    sums[node * 2] = (sums[node * 2] ?? 0) + hash.low;
    sums[node * 2 + 1] = (sums[node * 2 + 1] ?? 0) + hash.high;
  }
}
