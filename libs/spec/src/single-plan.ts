import {
  type Group,
  type InputShape,
  maxNodes,
  type Plan,
  type Steps,
  type TaskPayload,
} from '@runnel/core';
import { barrierName } from './barriers.ts';
import { addGeneratorEnds, describeTooManyNodes } from './generator-ends.ts';
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
import type { Shape, SingleTasks } from './single-tasks.ts';
import { checkWebhookClasses } from './webhooks.ts';

export interface SinglePlanContext {
  readonly head: RunHead;
  readonly maxEdges: number;
  readonly issues: IssueList;
}

/** A plan without the texts of its tasks, in which their details stand. */
export type SinglePlan = Omit<Plan, 'texts'>;

/** Connects single tasks and makes the plan; null where something is wrong, which is noted. */
export function* planSingles(
  tasks: SingleTasks,
  { head, maxEdges, issues }: SinglePlanContext,
): Steps<SinglePlan | null> {
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
  const { groups, groupRanges } = yield* groupTasks(tasks, { head, inputs, barriers });
  checkWebhookClasses(head.webhooks, groups, issues);
  const plan = {
    name: head.name ?? null,
    tags: head.tags ?? {},
    nodeCount,
    barrierCount: barriers.list.length + countBarrierTasks(tasks),
    groups,
    groupRanges,
    ...edges,
    payloads: () => listPayloads(tasks, nodeCount),
    onFailure: head.onFailure ?? 'continue',
    parallelism: head.parallelism ?? null,
    webhooks: head.webhooks ?? [],
  };
  const ended = yield* addGeneratorEnds(plan);
  if (ended === null) issues.add(['tasks'], describeTooManyNodes());
  return ended;
}

function countBarrierTasks(tasks: SingleTasks): number {
  if (tasks.shapes.every(({ policy }) => policy.kind === 'task')) return 0;
  let count = 0;
  for (let node = 0; node < tasks.count; node++) {
    if (tasks.shapeOf(node).policy.kind === 'barrier') count++;
  }
  return count;
}

function* groupTasks(
  tasks: SingleTasks,
  {
    head,
    inputs: { kinds, kindOf },
    barriers,
  }: {
    readonly head: RunHead;
    readonly inputs: SingleInputs;
    readonly barriers: SingleBarriers;
  },
): Steps<Pick<Plan, 'groups' | 'groupRanges'>> {
  const numbers = new Map<number, number>();
  const groups: Group[] = [];
  const ranges = new GrowingInts(64);
  let last = -1;
  for (let node = 0; node < tasks.count; node++) {
    const kind = kindOf[node] ?? 0;
    const shape = tasks.shapeOf(node);
    const key = shape.kin * 2 ** 26 + kind;
    const number = numbers.get(key) ?? groups.length;
    if (number === groups.length) {
      numbers.set(key, number);
      groups.push(groupOf(shape, kinds[kind] ?? [], head));
    }
    if (number !== last) ranges.pushPair(node, number);
    last = number;
    if (node % tasksPerStep === 0) yield;
  }
  for (const { parents, runIf, on, index } of barriers.list) {
    ranges.pushPair(tasks.count + index, groups.length);
    groups.push(barrierGroup(barrierName(parents.name, runIf, on)));
  }
  return { groups, groupRanges: ranges.view().slice() };
}

/** With the details of tasks that give none. */
function groupOf(
  { class: set, policy, reads }: Shape,
  inputs: readonly InputShape[],
  head: RunHead,
): Group {
  return {
    class: set.name,
    ...policy,
    axes: [],
    details: policy.kind === 'task' ? (head.defaults?.details ?? {}) : null,
    inputs,
    readsOutputs: reads !== null,
  };
}

const empty: TaskPayload = { values: [] };

function* listPayloads(tasks: SingleTasks, nodeCount: number): Generator<TaskPayload> {
  for (let node = 0; node < nodeCount; node++) {
    const id = node < tasks.count ? tasks.ownIdOf(node) : undefined;
    yield id === undefined ? empty : { values: [], id };
  }
}
