import {
  edgeCondition,
  edgeRuleOf,
  edgeRules,
  type On,
  type Plan,
  packEdge,
  type RunIf,
  type Steps,
  silentOn,
  type TaskPayload,
} from '@runnel/core';
import { addGeneratorEnds, barrierGroup, edgeOf } from '@runnel/spec';
import type { NewSet, SetPlan } from '@runnel/store';

/** An end barrier of the generator, and the packed edge by which it waits for it. */
export interface EndOfGenerator {
  readonly node: number;
  readonly edge: number;
}

/** Tasks of the run that generated tasks wait for. */
export interface OuterParents {
  readonly parents: readonly number[];
  readonly on: On;
  readonly runIf: RunIf;
  /** The children in the set. */
  readonly spans: readonly { readonly first: number; readonly count: number }[];
}

export interface Composition {
  /** Without end barriers. */
  readonly plan: SetPlan;
  /** What stands before classes and ids of the set, with its dot. */
  readonly scope: string;
  readonly ends: readonly EndOfGenerator[];
  readonly outer: readonly OuterParents[];
}

/**
 * Puts barriers around generated tasks, so that few edges lead to the rest of the run:
 *
 * - the start barrier waits for the generator, and each task without parents for it.
 * - of tasks of the run that are named as parents, one barrier takes the rule of the children. It may end
 *   before the generator does: a second one behind it waits for the start as well and passes the end on.
 * - for each end barrier of the generator one that waits for all tasks of the set under the same rule.
 *
 * Null where that makes too many nodes.
 */
export function* composeSet(composition: Composition): Steps<NewSet | null> {
  const { plan, outer, ends } = composition;
  const start = plan.nodeCount;
  const gatherAt = start + 1 + outer.length * 2;
  const isTask = yield* findTasks(plan);
  const taskCount = isTask.reduce((sum, one) => sum + one, 0);
  const writer = new Writer(gatherAt + ends.length);
  yield* writeTasks(composition, writer);
  writer.endNode();
  for (const index of outer.keys()) writeOuter(start, index, writer);
  for (const { edge } of ends) {
    const condition = conditionOf(edge);
    if (taskCount === 0) writer.add(withCondition(start, condition));
    for (let node = 0; node < start; node++) {
      if (isTask[node] === 1) writer.add(withCondition(node, condition));
    }
    writer.endNode();
    yield;
  }
  const ended = yield* addGeneratorEnds({
    ...withScope(composition),
    nodeCount: gatherAt + ends.length,
    barrierCount: plan.barrierCount + 1 + outer.length * 2 + ends.length,
    ...writer.finish(),
  });
  if (ended === null) return null;
  return {
    ...{ plan: ended, taskCount, start, outerCount: outer.length },
    gathers: ends.map(({ node: end, edge }, index) => ({
      ...{ node: gatherAt + index, end },
      edge: packEdge(0, 'succeeded', edgeRules[edgeCondition(edge) >>> 2] ?? 'all'),
    })),
    outer: outer.flatMap(({ parents, runIf, on }, index) =>
      parents.map((id) => ({ node: start + 1 + index * 2, edge: edgeOf(runIf, on, id) })),
    ),
  };
}

/** What tasks of the set are gathered under: a silent edge stands for one that waits for success. */
export function conditionOf(edge: number): number {
  const condition = edgeCondition(edge);
  return (condition & 3) === silentOn ? condition & ~3 : condition;
}

function withCondition(id: number, condition: number): number {
  return ((condition << 24) | id) >>> 0;
}

function* findTasks({ nodeCount, groups, groupRanges }: SetPlan): Steps<Uint8Array> {
  const isTask = new Uint8Array(nodeCount);
  for (let at = 0; at < groupRanges.length; at += 2) {
    const group = groups[groupRanges[at + 1] ?? 0];
    if (group?.kind === 'task') isTask.fill(1, groupRanges[at], groupRanges[at + 2] ?? nodeCount);
    if (at % nodesPerStep === 0) yield;
  }
  return isTask;
}

/** Nodes between two turns of others. */
const nodesPerStep = 4_096;

function* writeTasks({ plan, outer }: Composition, writer: Writer): Steps<void> {
  const start = plan.nodeCount;
  const passed = yield* listPassed(start, outer);
  for (let node = 0; node < start; node++) {
    const from = plan.parentOffsets[node] ?? 0;
    const to = plan.parentOffsets[node + 1] ?? 0;
    const later = passed.get(node) ?? [];
    writer.addAll(plan.parents.subarray(from, to));
    writer.addAll(later);
    if (from === to && later.length === 0) writer.add(packEdge(start, 'succeeded', 'all'));
    writer.endNode();
    if (node % nodesPerStep === 0) yield;
  }
}

/** Edges of tasks of the set from the barriers that stand for parents in the run. */
function* listPassed(
  start: number,
  outer: readonly OuterParents[],
): Steps<ReadonlyMap<number, readonly number[]>> {
  const passed = new Map<number, number[]>();
  for (const [index, { runIf, spans }] of outer.entries()) {
    const edge = packEdge(start + 2 + index * 2, 'succeeded', edgeRuleOf(runIf));
    for (const node of spans.flatMap(nodesOf)) {
      const own = passed.get(node) ?? [];
      if (own.length === 0) passed.set(node, own);
      // Named twice by the same task.
      if (own.at(-1) !== edge) own.push(edge);
    }
    yield;
  }
  return passed;
}

function nodesOf({ first, count }: OuterParents['spans'][number]): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** The barrier whose parents are tasks of the run, and the one behind it. */
function writeOuter(start: number, index: number, writer: Writer): void {
  writer.endNode();
  writer.add(packEdge(start, 'succeeded', 'all'));
  writer.add(packEdge(start + 1 + index * 2, 'succeeded', 'all'));
  writer.endNode();
}

function withScope({
  plan,
  scope,
}: Composition): Pick<Plan, 'groups' | 'groupRanges' | 'payloads'> {
  const groups = plan.groups.map((group) => ({ ...group, class: `${scope}${group.class}`, scope }));
  return {
    groups: [...groups, barrierGroup(`generated:${scope}`)],
    groupRanges: Uint32Array.from([...plan.groupRanges, plan.nodeCount, groups.length]),
    payloads: () => payloadsIn(plan, scope),
  };
}

function* payloadsIn(plan: SetPlan, scope: string): Generator<TaskPayload> {
  for (const payload of plan.payloads()) {
    yield payload.id === undefined ? payload : { ...payload, id: `${scope}${payload.id}` };
  }
}

/** Parent lists, node after node. */
class Writer {
  readonly #offsets: Uint32Array;
  #parents = new Uint32Array(1_024);
  #count = 0;
  #node = 0;

  constructor(nodeCount: number) {
    this.#offsets = new Uint32Array(nodeCount + 1);
  }

  add(edge: number): void {
    this.#reserve(1);
    this.#parents[this.#count++] = edge;
  }

  addAll(edges: ArrayLike<number>): void {
    this.#reserve(edges.length);
    this.#parents.set(edges, this.#count);
    this.#count += edges.length;
  }

  endNode(): void {
    this.#offsets[++this.#node] = this.#count;
  }

  finish(): Pick<Plan, 'parentOffsets' | 'parents'> {
    return { parentOffsets: this.#offsets, parents: this.#parents.slice(0, this.#count) };
  }

  #reserve(count: number): void {
    if (this.#count + count <= this.#parents.length) return;
    const larger = new Uint32Array(Math.max(this.#parents.length * 2, this.#count + count));
    larger.set(this.#parents);
    this.#parents = larger;
  }
}
