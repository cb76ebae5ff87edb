import type { PreparedEdit } from './prepare-edit.ts';

/** What the record of a run has after an edit; null: nothing. */
export function recordFields(
  { plan, source, structure }: PreparedEdit,
  rest: {
    readonly queues: readonly string[];
    readonly totals: Readonly<Record<string, number>>;
    readonly priority: number;
  },
): Readonly<Record<string, string | number | null>> {
  const { queues, totals, priority } = rest;
  return {
    ...totals,
    n: structure.nodeCount,
    barriers: structure.barrierCount,
    groups: structure.groups.length,
    edges: structure.parents.length,
    queues: queues.length,
    ...Object.fromEntries(queues.map((name, queue) => [`q${queue}`, name])),
    name: plan.name,
    tags: JSON.stringify(plan.tags),
    source,
    onFailure: plan.onFailure,
    parallelism: plan.parallelism,
    priority,
    specFormat: 'document',
  };
}
