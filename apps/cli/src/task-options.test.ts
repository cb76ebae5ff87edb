import { expect, test } from 'vitest';
import { describeChange } from './task-options.ts';

const words = { done: 'cancelled', running: 'run', isDryRun: false };
const answer = { id: 'r', url: '/r', state: 'running' as const, isNew: true };
const classes = [{ class: 'a', selected: 3, running: 1 }];

test('says how many tasks are changed, and how many run', () => {
  const lines = describeChange({ ...answer, selected: 3, running: 1, classes }, words);

  expect(lines).toEqual(['r: 3 tasks are cancelled; 1 of them run']);
});

test('says of which classes they would be', () => {
  const asked = { ...words, isDryRun: true };
  const lines = describeChange({ ...answer, selected: 3, running: 0, classes }, asked);

  expect(lines).toEqual(['  a: 3', 'r: 3 tasks would be cancelled']);
});

test('says where it was so before, and where there is nothing', () => {
  const before = { ...answer, isNew: false, running: 0, classes };

  expect(describeChange({ ...before, selected: 1 }, words)).toEqual([
    'r: 1 task is already cancelled',
  ]);
  expect(describeChange({ ...before, selected: 0 }, words)).toEqual([
    'r: no such task has not ended',
  ]);
});
