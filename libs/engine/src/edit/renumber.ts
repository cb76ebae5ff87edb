import { edgeId, type Group, type Json, type Plan, type Steps } from '@runnel/core';
import { canonicalJson } from './hash64.ts';
import type { JoinedSets } from './join-sets.ts';
import type { OldRevision } from './live-sets.ts';
import type { Numbering } from './match-nodes.ts';
import { type NodeFacts, nodeKinds, paddingClass } from './node-facts.ts';

/** Edges of a revision, by number. */
export interface Edges {
  readonly nodeCount: number;
  readonly parentOffsets: Uint32Array;
  readonly parents: Uint32Array;
}

/** A new revision under the numbers of the run. */
export interface Renumbered extends Edges {
  /** All nodes without work, those included that are left of removed tasks. */
  readonly barrierCount: number;
  /** Groups of the old revision keep their numbers; new ones follow. */
  readonly groups: readonly Group[];
  /** By number. */
  readonly groupOf: Uint32Array;
  readonly kinds: Uint8Array;
}

const nodesPerStep = 16_384;

/** What a new revision is put together from. */
export interface RevisionParts {
  readonly old: OldRevision;
  readonly plan: Pick<Plan, 'parentOffsets' | 'parents'>;
  readonly fresh: NodeFacts;
  readonly numbering: Numbering;
  readonly joined: JoinedSets;
}

/** Gives nodes, edges and groups of a new revision the numbers that they have in the run. */
export function* renumber(parts: RevisionParts): Steps<Renumbered> {
  const { old, fresh, numbering, joined } = parts;
  const edges = yield* renumberEdges(parts);
  const joining = joinGroups(old.facts.groups, fresh.groups);
  const { nodeCount } = joined;
  const groupOf = new Uint32Array(nodeCount).fill(joining.padding);
  const kinds = new Uint8Array(nodeCount).fill(nodeKinds.padding);
  for (let number = 0; number < numbering.nodeCount; number++) {
    placeNode(parts, number, { joining, groupOf, kinds });
    if (number % nodesPerStep === 0) yield;
  }
  for (const { number, kind, group, start } of joined.added) {
    groupOf[number] = group === null ? (groupOf[start] ?? 0) : joining.numberOf(group);
    kinds[number] = kind;
  }
  const barrierCount = kinds.reduce((sum, kind) => sum + (kind === nodeKinds.task ? 0 : 1), 0);
  return { ...edges, barrierCount, groups: joining.groups, groupOf, kinds };
}

function placeNode(
  { old, fresh, numbering }: RevisionParts,
  number: number,
  into: {
    readonly joining: JoinedGroups;
    readonly groupOf: Uint32Array;
    readonly kinds: Uint8Array;
  },
): void {
  const node = (numbering.nodeOf[number] ?? 0) - 1;
  if (node !== -1) {
    into.groupOf[number] = into.joining.numbers[fresh.groupOf[node] ?? 0] ?? 0;
    into.kinds[number] = fresh.kinds[node] ?? 0;
  } else if (numbering.isCarried[number] === 1) {
    into.groupOf[number] = old.facts.groupOf[number] ?? 0;
    into.kinds[number] = old.facts.kinds[number] ?? 0;
  }
}

function* renumberEdges(parts: RevisionParts): Steps<Edges> {
  const { nodeCount, gathers } = parts.joined;
  const parentOffsets = new Uint32Array(nodeCount + 1);
  const parents = new Uint32Array(countEdges(parts));
  const added = new Map(parts.joined.added.map((barrier) => [barrier.number, barrier.parents]));
  let at = 0;
  for (let number = 0; number < nodeCount; number++) {
    const from = at;
    at = copyEdges(parts, number, { parents, at });
    for (const edge of added.get(number) ?? []) parents[at++] = edge;
    const gather = gathers.get(number);
    if (gather !== undefined) parents[at++] = gather;
    sortByParent(parents, from, at);
    parentOffsets[number + 1] = at;
    if (number % nodesPerStep === 0) yield;
  }
  return { nodeCount, parentOffsets, parents: parents.subarray(0, at) };
}

/** As many as there can be. */
function countEdges({ old, plan, numbering, joined }: RevisionParts): number {
  let count = plan.parents.length + joined.gathers.size;
  for (const { parents } of joined.added) count += parents.length;
  const { parentOffsets } = old.edges;
  for (const [number, isCarried] of numbering.isCarried.entries()) {
    if (isCarried === 1) count += (parentOffsets[number + 1] ?? 0) - (parentOffsets[number] ?? 0);
  }
  return count;
}

/** Those of the new plan under their numbers; those of generated nodes as they are. Returns where they end. */
function copyEdges(
  { old, plan, numbering, joined }: RevisionParts,
  number: number,
  into: { readonly parents: Uint32Array; readonly at: number },
): number {
  const node = (numbering.nodeOf[number] ?? 0) - 1;
  let { at } = into;
  if (node !== -1) {
    const last = plan.parentOffsets[node + 1] ?? 0;
    for (let index = plan.parentOffsets[node] ?? 0; index < last; index++) {
      const edge = plan.parents[index] ?? 0;
      const parent = numbering.numberOf[edgeId(edge)] ?? 0;
      into.parents[at++] = ((edge & 0xff_00_00_00) | parent) >>> 0;
    }
    return at;
  }
  if (numbering.isCarried[number] !== 1 || joined.unused.has(number)) return at;
  const { parentOffsets, parents } = old.edges;
  const own = parents.subarray(parentOffsets[number] ?? 0, parentOffsets[number + 1] ?? 0);
  into.parents.set(own, at);
  return at + own.length;
}

/** Mostly they are in order: nodes keep theirs. */
function sortByParent(parents: Uint32Array, from: number, to: number): void {
  for (let index = from + 1; index < to; index++) {
    if (edgeId(parents[index] ?? 0) >= edgeId(parents[index - 1] ?? 0)) continue;
    parents.subarray(from, to).sort((a, b) => edgeId(a) - edgeId(b));
    return;
  }
}

/** What stands where a task was removed. */
const paddingGroup: Group = {
  class: paddingClass,
  kind: 'barrier',
  executor: 'barrier',
  pool: 'default',
  priority: 0,
  timeoutMs: null,
  retries: { limit: 0, backoffMs: 0, factor: 1, maxDelayMs: 0, onExitCodes: null },
  successExitCodes: [0],
  allowFailure: false,
  resources: {},
  version: null,
  axes: [],
  templated: false,
  details: null,
  inputs: [],
  readsOutputs: false,
};

interface JoinedGroups {
  readonly groups: readonly Group[];
  /** Of one more group. */
  readonly numberOf: (group: Group) => number;
  /** By group of the new revision. */
  readonly numbers: readonly number[];
  readonly padding: number;
}

/** Workers know groups by their numbers: one that was ever used stays what it is. */
function joinGroups(old: readonly Group[], fresh: readonly Group[]): JoinedGroups {
  const groups: Group[] = [...old];
  const known = new Map(old.map((group, number) => [keyOf(group), number]));
  const numberOf = (group: Group): number => {
    const key = keyOf(group);
    const number = known.get(key) ?? groups.length;
    if (number === groups.length) {
      known.set(key, number);
      groups.push(group);
    }
    return number;
  };
  const numbers = fresh.map(numberOf);
  return { groups, numberOf, numbers, padding: numberOf(paddingGroup) };
}

/** Stored groups have a total besides, which is no part of what they are. */
function keyOf(group: Group): string {
  const { total: _, ...rest } = { total: 0, ...group };
  // Groups are plain data.
  return canonicalJson(rest as unknown as Json);
}
