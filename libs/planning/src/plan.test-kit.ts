import type { Plan } from '@runnel/core';
import { groupOf, plainNode, planOf } from '@runnel/testing';
import type { SimulationOptions } from './simulate.ts';

/** A task of class `name` that runs after others, by their places. */
export interface DrawnTask {
  readonly class: string;
  readonly after?: readonly number[];
}

/** A plan with a group for each class. */
export function drawPlan(tasks: readonly DrawnTask[], overrides: Partial<Plan> = {}): Plan {
  const classes = [...new Set(tasks.map((task) => task.class))];
  const graph = tasks.map(({ after = [] }) => ({
    ...plainNode,
    parents: after.map((id) => ({ id, on: 'succeeded' as const })),
  }));
  return planOf(graph, {
    groups: classes.map((name) => groupOf(plainNode, name)),
    groupRanges: Uint32Array.from(
      tasks.flatMap((task, node) => [node, classes.indexOf(task.class)]),
    ),
    ...overrides,
  });
}

/** Tasks of each class take what is given for it, always; one pool. */
export function withDurations(
  durations: Readonly<Record<string, number>>,
  options: { readonly slots?: number; readonly failing?: readonly string[] } = {},
): SimulationOptions {
  const { slots = 1_000, failing = [] } = options;
  return {
    estimates: {
      duration: (name) => ({ p50Ms: durations[name] ?? 0, p95Ms: durations[name] ?? 0 }),
      failureRate: (name) => (failing.includes(name) ? 1 : 0),
    },
    queueOf: ({ kind, pool }) => (kind === 'barrier' ? '' : pool),
    slotsOf: () => slots,
    seed: 1,
  };
}
