import { finishSteps, type Plan } from '@runnel/core';
import { stateCode } from '@runnel/store';
import { finalStates, graphArbitrary, planOf } from '@runnel/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adviseOn } from './advice.ts';
import { drawPlan, withDurations } from './plan.test-kit.ts';
import { type Simulation, type SimulationOptions, simulate as steps } from './simulate.ts';

function simulate(plan: Plan, options: SimulationOptions): Simulation {
  return finishSteps(steps(plan, options));
}

describe('a simulated run', () => {
  test('takes as long as its slots and its longest chain let it', () => {
    const tasks = [0, 1, 2, 3].map(() => ({ class: 'a' }));
    const plan = drawPlan([...tasks, { class: 'b', after: [0, 1, 2, 3] }]);

    const wide = simulate(plan, withDurations({ a: 10, b: 5 }));
    const narrow = simulate(plan, withDurations({ a: 10, b: 5 }, { slots: 3 }));

    expect(wide).toMatchObject({ makespanMs: 15, state: 'succeeded', tasks: { succeeded: 5 } });
    expect(narrow.makespanMs).toBe(25);
    expect(narrow.pools).toEqual([
      { queue: 'default', slots: 3, peakBusy: 3, peakWaiting: 1, utilization: 45 / 75 },
    ]);
    expect(narrow.path).toEqual([
      { class: 'a', tasks: 1, runMs: 10, slotMs: 10, retryMs: 0 },
      { class: 'b', tasks: 1, runMs: 5, slotMs: 0, retryMs: 0 },
    ]);
  });

  test('runs no more at once than its parallelism', () => {
    const plan = drawPlan(
      [0, 1, 2].map(() => ({ class: 'a' })),
      { parallelism: 1 },
    );

    expect(simulate(plan, withDurations({ a: 10 })).makespanMs).toBe(30);
  });

  test('is stopped by a failure where the spec says so', () => {
    const tasks = [{ class: 'bad' }, { class: 'good' }, { class: 'good', after: [1] }];
    const plan = drawPlan(tasks, { onFailure: 'stop' });
    const options = withDurations({ bad: 5, good: 10 }, { failing: ['bad'] });

    expect(simulate(plan, options)).toMatchObject({
      ...{ makespanMs: 10, state: 'failed' },
      tasks: { failed: 1, succeeded: 1, cancelled: 1 },
    });
  });

  test('comes to the states that the rules demand, whatever the graph', () => {
    fc.assert(
      fc.property(graphArbitrary(40), fc.integer({ min: 1, max: 3 }), (drawn, slots) => {
        const graph = drawn.map((node) => ({
          ...node,
          attempts: [node.retries === 1 ? ('failed' as const) : ('succeeded' as const)],
        }));
        const plan = planOf(graph);
        const failing = plan.groups.flatMap((group) =>
          group.retries.limit === 1 ? [group.class] : [],
        );
        const expected: Record<string, number> = {};
        finalStates(graph).forEach((state, node) => {
          if (graph[node]?.isBarrier !== true) expected[state] = (expected[state] ?? 0) + 1;
        });

        const { tasks } = simulate(plan, withDurations({}, { slots, failing }));

        expect(tasks).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('goes on from where a run is, and comes to the same', () => {
    fc.assert(
      fc.property(graphArbitrary(40), fc.array(fc.boolean(), { minLength: 40 }), (graph, drawn) => {
        const good = graph.map((node) => ({ ...node, attempts: ['succeeded' as const] }));
        const plan = planOf(good);
        const final = finalStates(good);
        // What has ended: some nodes, each with all of its parents.
        const states = new Uint8Array(graph.length);
        good.forEach((node, id) => {
          const isOpen = node.parents.some(({ id: parent }) => states[parent] === 0);
          if (!isOpen && drawn[id] === true) states[id] = stateCode[final[id] ?? 'succeeded'];
        });

        const { tasks } = simulate(plan, { ...withDurations({}), states });

        expect(tasks).toEqual(simulate(plan, withDurations({})).tasks);
      }),
      { numRuns: 200 },
    );
  });

  test('has the same luck with the same seed, and durations about as asked for', () => {
    const plan = drawPlan(Array.from({ length: 2_000 }, () => ({ class: 'a' })));
    const fixed = withDurations({}, { slots: 1 });
    const options = {
      ...fixed,
      estimates: { duration: () => ({ p50Ms: 100, p95Ms: 300 }), failureRate: () => 0.1 },
    };

    const once = simulate(plan, options);
    const again = simulate(plan, options);
    const other = simulate(plan, { ...options, seed: 2 });

    expect(again).toEqual(once);
    expect(other.makespanMs).not.toBe(once.makespanMs);
    expect(once.tasks['failed']).toBeGreaterThan(150);
    expect(once.tasks['failed']).toBeLessThan(250);
    // The mean of the log-normal distribution: p50 · exp(σ² / 2) = 125 ms.
    expect(once.makespanMs / 2_000).toBeGreaterThan(118);
    expect(once.makespanMs / 2_000).toBeLessThan(133);
  });
});

describe('advice', () => {
  test('tries more slots, a quicker class and no limit at all', () => {
    const wide = Array.from({ length: 8 }, () => ({ class: 'a' }));
    const plan = drawPlan([...wide, { class: 'b', after: wide.map((_, node) => node) }]);
    const options = withDurations({ a: 10, b: 10 }, { slots: 2 });

    expect(finishSteps(adviseOn(plan, options, simulate(plan, options)))).toEqual([
      { kind: 'slots', queue: 'default', slots: 4, makespanMs: 30 },
      { kind: 'class', class: 'a', makespanMs: 30 },
      { kind: 'unlimited', makespanMs: 20 },
    ]);
  });

  test('says nothing of slots that nobody waits for', () => {
    const plan = drawPlan([{ class: 'a' }, { class: 'b', after: [0] }]);
    const options = withDurations({ a: 10, b: 4 });

    expect(finishSteps(adviseOn(plan, options, simulate(plan, options)))).toEqual([
      { kind: 'class', class: 'a', makespanMs: 9 },
    ]);
  });
});
