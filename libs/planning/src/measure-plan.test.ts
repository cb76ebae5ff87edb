import { finishSteps } from '@runnel/core';
import { expect, test } from 'vitest';
import { measurePlan } from './measure-plan.ts';
import { drawPlan } from './plan.test-kit.ts';

test('counts tasks and edges by class, the longest path and the widest layer', () => {
  const plan = drawPlan([
    { class: 'pull' },
    { class: 'pull' },
    { class: 'clean', after: [0] },
    { class: 'clean', after: [1] },
    { class: 'clean', after: [3] },
    { class: 'check', after: [1] },
    { class: 'report', after: [2, 4, 5] },
  ]);

  expect(finishSteps(measurePlan(plan, 100))).toEqual({
    tasks: 7,
    edges: 7,
    classes: [
      { class: 'pull', tasks: 2, edges: 0 },
      { class: 'clean', tasks: 3, edges: 3 },
      { class: 'check', tasks: 1, edges: 1 },
      { class: 'report', tasks: 1, edges: 3 },
    ],
    longestPath: {
      tasks: 4,
      classes: [
        { class: 'pull', tasks: 1 },
        { class: 'clean', tasks: 2 },
        { class: 'report', tasks: 1 },
      ],
    },
    widestLayer: { layer: 1, tasks: 3 },
    redisBytes: expect.closeTo(6_000, -3),
  });
});

test('an empty plan has no path', () => {
  expect(finishSteps(measurePlan(drawPlan([]), 100))).toMatchObject({
    tasks: 0,
    longestPath: { tasks: 0, classes: [] },
    widestLayer: { layer: 0, tasks: 0 },
  });
});
