import type { Plan } from '@runnel/core';

export interface PlannedClass {
  readonly class: string;
  readonly tasks: number;
}

/** Tasks by class, in the order of the spec; barriers are not counted. */
export function countClasses(plan: Plan): readonly PlannedClass[] {
  const counts = new Map<string, number>();
  const { groupRanges, groups, nodeCount } = plan;
  for (let at = 0; at < groupRanges.length; at += 2) {
    const group = groups[groupRanges[at + 1] ?? -1];
    if (group === undefined || group.kind === 'barrier') continue;
    const size = (groupRanges[at + 2] ?? nodeCount) - (groupRanges[at] ?? 0);
    counts.set(group.class, (counts.get(group.class) ?? 0) + size);
  }
  return [...counts].map(([name, tasks]) => ({ class: name, tasks }));
}
