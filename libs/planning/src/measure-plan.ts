import type { Plan, Steps } from '@runnel/core';
import { estimateBytes } from '@runnel/store';
import { type Layers, measureLayers } from './layers.ts';
import { groupsOfNodes, taskWeights } from './node-groups.ts';

/** What a spec would become. */
export interface PlanMeasures {
  readonly tasks: number;
  /** As stored: all-to-all dependencies go through one node. */
  readonly edges: number;
  /** In the order of the spec. */
  readonly classes: readonly {
    readonly class: string;
    readonly tasks: number;
    readonly edges: number;
  }[];
  /** A longest chain of tasks, from a root on; neighbours of one class are counted together. */
  readonly longestPath: {
    readonly tasks: number;
    readonly classes: readonly { readonly class: string; readonly tasks: number }[];
  };
  /** The most tasks that stand at the same distance from the roots, which is 0 for the roots. */
  readonly widestLayer: { readonly layer: number; readonly tasks: number };
  /** About what the run takes in Redis when it has ended, without outputs and logs. */
  readonly redisBytes: number;
}

/** O(nodes + edges), on typed arrays. @param specBytes what the spec takes as it is kept. */
export function* measurePlan(plan: Plan, specBytes: number): Steps<PlanMeasures> {
  const nodeGroups = groupsOfNodes(plan);
  const layers = yield* measureLayers(plan, nodeGroups);
  return {
    tasks: plan.nodeCount - plan.barrierCount,
    edges: plan.parents.length,
    classes: countClasses(plan),
    longestPath: tracePath(plan, nodeGroups, layers),
    widestLayer: findWidest(plan, nodeGroups, layers.steps),
    redisBytes: estimateBytes(plan, specBytes),
  };
}

function countClasses(plan: Plan): PlanMeasures['classes'] {
  const classes = new Map<string, { tasks: number; edges: number }>();
  const { groupRanges, nodeCount, parentOffsets } = plan;
  for (let index = 0; index < groupRanges.length; index += 2) {
    const from = groupRanges[index] ?? 0;
    const to = groupRanges[index + 2] ?? nodeCount;
    const group = plan.groups[groupRanges[index + 1] ?? 0];
    if (group === undefined || group.kind === 'barrier') continue;
    const counts = classes.get(group.class) ?? { tasks: 0, edges: 0 };
    classes.set(group.class, counts);
    counts.tasks += to - from;
    counts.edges += (parentOffsets[to] ?? 0) - (parentOffsets[from] ?? 0);
  }
  return [...classes].map(([name, counts]) => ({ class: name, ...counts }));
}

function tracePath(
  plan: Plan,
  nodeGroups: Uint32Array,
  { steps, before }: Layers,
): PlanMeasures['longestPath'] {
  const last = deepestOf(steps);
  const classes: { class: string; tasks: number }[] = [];
  for (const node of walkBack(before, last)) {
    const group = plan.groups[nodeGroups[node] ?? 0];
    if (group === undefined || group.kind === 'barrier') continue;
    const latest = classes.at(-1);
    if (latest?.class === group.class) latest.tasks++;
    else classes.push({ class: group.class, tasks: 1 });
  }
  return { tasks: steps[last] ?? 0, classes: classes.reverse() };
}

function deepestOf(steps: Uint32Array): number {
  let last = 0;
  for (let node = 0; node < steps.length; node++) {
    if ((steps[node] ?? 0) > (steps[last] ?? 0)) last = node;
  }
  return last;
}

/** From a node back to where its chain begins. */
function* walkBack(before: Uint32Array, from: number): Generator<number> {
  for (let node = from, next = before[node]; next !== undefined; node = next, next = before[node]) {
    yield node;
    if (next === node) return;
  }
}

function findWidest(
  plan: Plan,
  nodeGroups: Uint32Array,
  steps: Uint32Array,
): PlanMeasures['widestLayer'] {
  const weights = taskWeights(plan.groups);
  const counts = new Uint32Array(plan.nodeCount + 1);
  let widest = 1;
  for (let node = 0; node < plan.nodeCount; node++) {
    if (weights[nodeGroups[node] ?? 0] === 0) continue;
    const step = steps[node] ?? 0;
    const count = (counts[step] ?? 0) + 1;
    counts[step] = count;
    if (count > (counts[widest] ?? 0)) widest = step;
  }
  return { layer: widest - 1, tasks: counts[widest] ?? 0 };
}
