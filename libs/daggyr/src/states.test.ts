import { runStates, taskStates } from '@runnel/core';
import { expect, test } from 'vitest';
import { countTaskStates, toRunState, toTaskState } from './states.ts';

test('every state of a run has one of DaggyR', () => {
  expect(runStates.map((state) => [state, toRunState(state, false)])).toEqual([
    ['created', 'Queued'],
    ['submitting', 'Queued'],
    ['running', 'Running'],
    ['paused', 'Running'],
    ['succeeded', 'Completed'],
    ['failed', 'Errored'],
    ['cancelled', 'Killed'],
  ]);
  expect(toRunState('running', true)).toBe('Killed');
});

test('what did not run because another failed is still queued', () => {
  expect(taskStates.filter((state) => toTaskState(state) === 'Queued')).toEqual([
    'waiting',
    'ready',
    'queued',
    'delayed',
    'suspended',
    'skipped',
    'upstream-failed',
  ]);
});

test('tasks are counted by states that they have', () => {
  const counts = { waiting: 2, delayed: 1, running: 3, succeeded: 4, failed: 0 };

  expect(countTaskStates(counts, taskStates)).toEqual({ Queued: 3, Running: 3, Completed: 4 });
});
