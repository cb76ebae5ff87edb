import { type Group, maxNodes, type Plan, type Steps, type TaskPayload } from '@runnel/core';
import { barrierName } from './barriers.ts';
import { parseDetails } from './details-store.ts';
import { barrierGroup } from './groups.ts';
import { GrowingInts } from './growing-ints.ts';
import type { IssueList } from './issue-list.ts';
import type { RunHead } from './schema.ts';
import { findSingleBarriers, type SingleBarriers } from './single-barriers.ts';
import { findSingleCycles } from './single-cycles.ts';
import { SingleEdges } from './single-edges.ts';
import { type SingleInputs, shapeSingleInputs } from './single-inputs.ts';
import { resolveSingles, tasksPerStep } from './single-links.ts';
import { simplifySingles } from './single-simplify.ts';
import type { SingleTasks } from './single-tasks.ts';

export interface SinglePlanContext {
  readonly head: RunHead;
  readonly maxEdges: number;
  readonly issues: IssueList;
}

/** Connects single tasks and makes the plan; null where something is wrong, which is noted. */
export function* planSingles(
  tasks: SingleTasks,
  { head, maxEdges, issues }: SinglePlanContext,
): Steps<Plan | null> {
  const resolved = yield* resolveSingles(tasks, issues);
  const links = yield* simplifySingles(tasks, resolved, issues);
  yield* findSingleCycles(tasks, links, issues);
  const inputs = yield* shapeSingleInputs(tasks, links, issues);
  if (issues.count > 0) return null;
  tasks.names.close();
  const barriers = yield* findSingleBarriers(tasks, links);
  const nodeCount = tasks.count + barriers.list.length;
  if (nodeCount > maxNodes) {
    const message = `the run has ${nodeCount} tasks and barriers, over the limit of ${maxNodes}`;
    issues.add(['tasks'], message);
    return null;
  }
  const graph = new SingleEdges(tasks, links, barriers);
  const edgeCount = graph.count();
  if (edgeCount > maxEdges) {
    issues.add(['tasks'], `the run has ${edgeCount} edges, over the limit of ${maxEdges}`);
    return null;
  }
  const edges = yield* graph.write(edgeCount);
  const { groups, groupRanges, detailsOf } = yield* groupTasks(tasks, inputs, barriers);
  return {
    name: head.name ?? null,
    tags: head.tags ?? {},
    nodeCount,
    barrierCount: barriers.list.length + countBarrierTasks(tasks),
    groups,
    groupRanges,
    ...edges,
    payloads: () => listPayloads(tasks, { groupRanges, detailsOf, nodeCount }),
    onFailure: head.onFailure ?? 'continue',
    parallelism: head.parallelism ?? null,
  };
}

function countBarrierTasks(tasks: SingleTasks): number {
  if (tasks.shapes.every(({ policy }) => policy.kind === 'task')) return 0;
  let count = 0;
  for (let node = 0; node < tasks.count; node++) {
    if (tasks.shapeOf(node).policy.kind === 'barrier') count++;
  }
  return count;
}

interface SingleGroups {
  readonly groups: readonly Group[];
  readonly groupRanges: Uint32Array;
  /** The details of each group as text. */
  readonly detailsOf: readonly string[];
}

function* groupTasks(
  tasks: SingleTasks,
  { kinds, kindOf }: SingleInputs,
  barriers: SingleBarriers,
): Steps<SingleGroups> {
  const numbers = new Map<number, number>();
  const groups: Group[] = [];
  const detailsOf: string[] = [];
  const ranges = new GrowingInts(64);
  let last = -1;
  for (let node = 0; node < tasks.count; node++) {
    const kind = kindOf[node] ?? 0;
    const key = tasks.shapeOf(node).kin * 2 ** 26 + kind;
    const number = numbers.get(key) ?? groups.length;
    if (number === groups.length) {
      numbers.set(key, number);
      const details = tasks.details.textOf(node);
      detailsOf.push(details);
      const { class: set, policy, reads } = tasks.shapeOf(node);
      groups.push({
        class: set.name,
        ...policy,
        axes: [],
        details: parseDetails(details),
        inputs: kinds[kind] ?? [],
        readsOutputs: reads !== null,
      });
    }
    if (number !== last) ranges.pushPair(node, number);
    last = number;
    if (node % tasksPerStep === 0) yield;
  }
  for (const { parents, runIf, on, index } of barriers.list) {
    ranges.pushPair(tasks.count + index, groups.length);
    groups.push(barrierGroup(barrierName(parents.name, runIf, on)));
  }
  return { groups, groupRanges: ranges.view().slice(), detailsOf };
}

const empty: TaskPayload = { values: [] };

function* listPayloads(
  tasks: SingleTasks,
  {
    groupRanges,
    detailsOf,
    nodeCount,
  }: Omit<SingleGroups, 'groups'> & { readonly nodeCount: number },
): Generator<TaskPayload> {
  for (let range = 0; range < groupRanges.length; range += 2) {
    const end = groupRanges[range + 2] ?? nodeCount;
    const ofGroup = detailsOf[groupRanges[range + 1] ?? 0];
    for (let node = groupRanges[range] ?? 0; node < end; node++) {
      yield ofGroup === undefined ? empty : payloadOf(tasks, node, ofGroup);
    }
  }
}

function payloadOf(tasks: SingleTasks, node: number, ofGroup: string): TaskPayload {
  const id = tasks.ownIdOf(node);
  const details = tasks.details.textOf(node);
  const isShared = details === ofGroup;
  if (id === undefined && isShared) return empty;
  return {
    values: [],
    ...(id === undefined ? {} : { id }),
    ...(isShared ? {} : { details: parseDetails(details) }),
  };
}
