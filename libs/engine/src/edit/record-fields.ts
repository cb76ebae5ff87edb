import type { PreparedEdit } from './prepare-edit.ts';

/** What the record of a run has after an edit; null: nothing. */
export function recordFields(
  edit: PreparedEdit,
  rest: {
    readonly queues: readonly string[];
    readonly totals: Readonly<Record<string, number>>;
    readonly priority: number;
  },
): Readonly<Record<string, string | number | null>> {
  const { plan, source, structure } = edit;
  const { queues, totals, priority } = rest;
  return {
    ...totals,
    n: structure.nodeCount,
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
    // Edges that came later; what was replaced before is gone.
    more: edit.sets.length > 0 ? 1 : null,
    ...{ retiring: null, retireWait: null, appendToken: null, appendAt: null },
    unpark: null,
  };
}
