import { expect, test } from 'vitest';
import { toWireIssue } from './wire-issue.ts';

test('writes a path as a JSON pointer and as code', () => {
  const issue = toWireIssue({
    path: ['tasks', 3, 'a/b~c', 'details'],
    message: 'is wrong',
    line: 4,
    column: 2,
  });

  expect(issue).toEqual({
    pointer: '/tasks/3/a~1b~0c/details',
    path: 'tasks[3]["a/b~c"].details',
    detail: 'is wrong',
    line: 4,
    column: 2,
  });
});

test('leaves out what is not known', () => {
  expect(toWireIssue({ path: [], message: 'is empty' })).toEqual({
    pointer: '',
    path: '',
    detail: 'is empty',
  });
});
