import {
  edgeCondition,
  edgeId,
  edgeRules,
  type Group,
  maxNodes,
  ons,
  type Plan,
  packEdge,
  type Steps,
  silentOn,
  type TaskPayload,
} from '@runnel/core';
import { sortById } from './edges.ts';
import { barrierGroup } from './groups.ts';
import { GrowingInts } from './growing-ints.ts';

type Structure = Pick<
  Plan,
  'nodeCount' | 'barrierCount' | 'groups' | 'groupRanges' | 'parentOffsets' | 'parents' | 'payloads'
>;

export function describeTooManyNodes(): string {
  return `with a barrier behind each generator the run has more than ${maxNodes} nodes: let fewer tasks generate`;
}

/** Nodes between two turns of others. */
const nodesPerStep = 4096;

/**
 * Puts an end barrier between each generator and its children, one for each condition of their edges:
 * what a generator generates is later put before it too, so that its children wait for all of that by
 * their own rule. Null where the barriers make too many nodes.
 */
export function* addGeneratorEnds<P extends Structure>(plan: P): Steps<P | null> {
  if (plan.groups.every(({ generator }) => generator === undefined)) return plan;
  const ends = yield* findEnds(plan);
  if (ends.count === 0) return plan;
  const nodeCount = plan.nodeCount + ends.count;
  if (nodeCount > maxNodes) return null;
  const { parentOffsets, parents } = yield* rewire(plan, ends);
  return {
    ...plan,
    ...{ nodeCount, barrierCount: plan.barrierCount + ends.count, parentOffsets, parents },
    ...groupEnds(plan, ends),
    payloads: () => withEmpty(plan, ends.count),
  };
}

/** End barriers by what they stand for: the generator's edge as their child would have it. */
interface Ends {
  readonly count: number;
  readonly numbers: ReadonlyMap<number, number>;
  /** Packed edges to generators, in the order of the barriers. */
  readonly edges: readonly number[];
  readonly groupOf: Uint32Array;
}

function* findEnds(plan: Structure): Steps<Ends> {
  const groupOf = yield* groupNodes(plan);
  const numbers = new Map<number, number>();
  const edges: number[] = [];
  for (let at = 0; at < plan.parents.length; at++) {
    const edge = plan.parents[at] ?? 0;
    const group = plan.groups[groupOf[edgeId(edge)] ?? 0];
    if (group?.generator !== undefined && !numbers.has(edge)) {
      numbers.set(edge, edges.length);
      edges.push(edge);
    }
    if (at % nodesPerStep === 0) yield;
  }
  return { count: edges.length, numbers, edges, groupOf };
}

function* groupNodes({ nodeCount, groupRanges }: Structure): Steps<Uint32Array> {
  const groupOf = new Uint32Array(nodeCount);
  for (let range = 0; range < groupRanges.length; range += 2) {
    const stop = groupRanges[range + 2] ?? nodeCount;
    groupOf.fill(groupRanges[range + 1] ?? 0, groupRanges[range] ?? 0, stop);
    if (range % nodesPerStep === 0) yield;
  }
  return groupOf;
}

function* rewire(plan: Structure, ends: Ends): Steps<Pick<Plan, 'parentOffsets' | 'parents'>> {
  const { nodeCount } = plan;
  const parents = new Uint32Array(plan.parents.length + ends.count);
  const parentOffsets = new Uint32Array(nodeCount + ends.count + 1);
  for (let node = 0; node < nodeCount; node++) {
    const from = plan.parentOffsets[node] ?? 0;
    const to = plan.parentOffsets[node + 1] ?? 0;
    let isChanged = false;
    for (let at = from; at < to; at++) {
      const edge = plan.parents[at] ?? 0;
      const end = ends.numbers.get(edge);
      parents[at] = end === undefined ? edge : edgeToChild(nodeCount + end, edge);
      isChanged ||= end !== undefined;
    }
    if (isChanged) sortById(parents.subarray(from, to));
    parentOffsets[node + 1] = to;
    if (node % nodesPerStep === 0) yield;
  }
  for (const [number, edge] of ends.edges.entries()) {
    const at = plan.parents.length + number;
    parents[at] = edgeToEnd(edge);
    parentOffsets[nodeCount + number + 1] = at + 1;
  }
  return { parentOffsets, parents };
}

/** A barrier ends succeeded where its rule holds; its child waits for that under the same rule. */
export function edgeToChild(end: number, edge: number): number {
  return packEdge(end, 'succeeded', edgeRules[edgeCondition(edge) >>> 2] ?? 'all');
}

/** With the rule any, the success of the generator itself must not release what waits for the generated. */
export function edgeToEnd(edge: number): number {
  const condition = edgeCondition(edge);
  const isAnySuccess = condition >>> 2 === edgeRules.indexOf('any') && (condition & 3) === 0;
  return isAnySuccess ? (edge | (silentOn << 24)) >>> 0 : edge;
}

function groupEnds(plan: Structure, ends: Ends): Pick<Plan, 'groups' | 'groupRanges'> {
  const groups: Group[] = [...plan.groups];
  const numbers = new Map<string, number>();
  const ranges = new GrowingInts(64);
  for (let at = 0; at < plan.groupRanges.length; at += 2) {
    ranges.pushPair(plan.groupRanges[at] ?? 0, plan.groupRanges[at + 1] ?? 0);
  }
  let last = -1;
  for (const [index, edge] of ends.edges.entries()) {
    const group = endGroup(plan.groups[ends.groupOf[edgeId(edge)] ?? 0], edgeCondition(edge));
    const number = numbers.get(group.class) ?? groups.length;
    if (number === groups.length) {
      numbers.set(group.class, number);
      groups.push(group);
    }
    if (number !== last) ranges.pushPair(plan.nodeCount + index, number);
    last = number;
  }
  return { groups, groupRanges: ranges.view().slice() };
}

/** What the classes of end barriers begin with: no user's class has a colon. */
export const endPrefix = 'end:';

/** The group of end barriers of a class of generators under one condition. */
export function endGroup(generator: Group | undefined, condition: number): Group {
  const rule = edgeRules[condition >>> 2] ?? 'all';
  const name = `${generator?.class ?? ''}:${rule}:${ons[condition & 3] ?? 'any'}`;
  return barrierGroup(`${endPrefix}${name}`);
}

function* withEmpty(plan: Structure, count: number): Generator<TaskPayload> {
  yield* plan.payloads();
  for (let index = 0; index < count; index++) yield { values: [] };
}
