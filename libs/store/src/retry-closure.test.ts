import { finishSteps } from '@runnel/core';
import { graphArbitrary, planOf } from '@runnel/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withDescendants } from './retry-closure.ts';
import { buildChildren } from './structure.ts';

function closure(selected: readonly number[], plan: ReturnType<typeof planOf>): readonly number[] {
  const structure = finishSteps(buildChildren(plan));
  return [...finishSteps(withDescendants(selected, plan.nodeCount, structure))];
}

test('nothing selected is nothing', () => {
  const plan = planOf([]);

  expect(closure([], plan)).toEqual([]);
});

test('the selected and all that hangs on them are in it, each once, and nothing else', () => {
  const property = fc.property(
    graphArbitrary(60),
    fc.array(fc.nat(1_000), { maxLength: 5 }),
    (graph, drawn) => {
      const selected = drawn.map((n) => n % graph.length);
      // Parents come before their children.
      const isIn = graph.map(() => false);
      for (const [id, { parents }] of graph.entries()) {
        isIn[id] = selected.includes(id) || parents.some((parent) => isIn[parent.id]);
      }

      const found = closure(selected, planOf(graph));

      expect(found).toEqual([...graph.keys()].filter((id) => isIn[id]));
    },
  );

  fc.assert(property, { numRuns: 200 });
});
