import type { WireValidated } from '@runnel/client';
import type { Plan } from '@runnel/core';

/** Tasks and edges of each class, in the order of the spec. */
export function describePlan(plan: Plan): Omit<WireValidated, 'warnings'> {
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
  return {
    name: plan.name,
    tasks: nodeCount - plan.barrierCount,
    edges: plan.parents.length,
    classes: [...classes].map(([name, counts]) => ({ class: name, ...counts })),
  };
}
