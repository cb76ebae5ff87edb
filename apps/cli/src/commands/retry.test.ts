import { expect, test } from 'vitest';
import { describeRetry } from './retry.ts';

const answer = { id: 'r', url: '/r', state: 'running' as const, isNew: true };
const one = { ...answer, reset: 1, leftRunning: 0, classes: [] };

test('says how many tasks are brought back', () => {
  expect(describeRetry(one, false)).toEqual(['r: 1 task is brought back']);
  expect(describeRetry({ ...one, reset: 2, leftRunning: 1 }, false)).toEqual([
    'r: 2 tasks are brought back, 1 left running',
  ]);
});

test('says of which classes they would be', () => {
  const classes = [{ class: 'a', reset: 2, leftRunning: 0 }];

  expect(describeRetry({ ...one, reset: 2, classes }, true)).toEqual([
    '  a: 2',
    'r: 2 tasks would be brought back',
  ]);
});

test('says what to do where nothing is selected', () => {
  expect(describeRetry({ ...one, reset: 0 }, false, ': name it with --from')).toEqual([
    'r: there is nothing to retry: name it with --from',
  ]);
});
