import { edgeId, type Group, type Json, type Plan, type Steps } from '@runnel/core';
import { canonicalJson } from './hash64.ts';
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

/** Gives nodes, edges and groups of a new revision the numbers that they have in the run. */
export function* renumber(
  old: NodeFacts,
  plan: Pick<Plan, 'parentOffsets' | 'parents'>,
  { fresh, numbering }: { readonly fresh: NodeFacts; readonly numbering: Numbering },
): Steps<Renumbered> {
  const edges = yield* renumberEdges(plan, numbering);
  const { groups, numbers, padding } = joinGroups(old.groups, fresh.groups);
  const { nodeOf, nodeCount } = numbering;
  const groupOf = new Uint32Array(nodeCount);
  const kinds = new Uint8Array(nodeCount);
  let barrierCount = 0;
  for (let number = 0; number < nodeCount; number++) {
    const node = (nodeOf[number] ?? 0) - 1;
    groupOf[number] = node === -1 ? padding : (numbers[fresh.groupOf[node] ?? 0] ?? 0);
    kinds[number] = node === -1 ? nodeKinds.padding : (fresh.kinds[node] ?? 0);
    if (kinds[number] !== nodeKinds.task) barrierCount++;
    if (number % nodesPerStep === 0) yield;
  }
  return { ...edges, barrierCount, groups, groupOf, kinds };
}

function* renumberEdges(
  plan: Pick<Plan, 'parentOffsets' | 'parents'>,
  { numberOf, nodeOf, nodeCount }: Numbering,
): Steps<Edges> {
  const parentOffsets = new Uint32Array(nodeCount + 1);
  const parents = new Uint32Array(plan.parents.length);
  let at = 0;
  for (let number = 0; number < nodeCount; number++) {
    const node = (nodeOf[number] ?? 0) - 1;
    const from = at;
    const last = node === -1 ? 0 : (plan.parentOffsets[node + 1] ?? 0);
    for (let index = node === -1 ? 0 : (plan.parentOffsets[node] ?? 0); index < last; index++) {
      const edge = plan.parents[index] ?? 0;
      parents[at++] = ((edge & 0xff_00_00_00) | (numberOf[edgeId(edge)] ?? 0)) >>> 0;
    }
    sortByParent(parents, from, at);
    parentOffsets[number + 1] = at;
    if (number % nodesPerStep === 0) yield;
  }
  return { nodeCount, parentOffsets, parents };
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
  return { groups, numbers, padding: numberOf(paddingGroup) };
}

/** Stored groups have a total besides, which is no part of what they are. */
function keyOf(group: Group): string {
  const { total: _, ...rest } = { total: 0, ...group };
  // Groups are plain data.
  return canonicalJson(rest as unknown as Json);
}
