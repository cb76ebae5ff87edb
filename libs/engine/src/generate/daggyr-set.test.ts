import { SpecError } from '@runnel/core';
import { expect, test } from 'vitest';
import { readDaggyrSet } from './daggyr-set.ts';

test('tasks of DaggyR become native ones', () => {
  const { value, isEmpty } = readDaggyrSet('{"one": {"details": {"command": ["echo", "{{x}}"]}}}');

  expect(isEmpty).toBe(false);
  expect(value).toEqual({
    tasks: [{ class: 'one', id: 'one', templated: false, details: { command: ['echo', '{{x}}'] } }],
  });
});

test.each(['', ' \n', '{}', '[]'])('%j is no task, and no mistake', (text) => {
  expect(readDaggyrSet(text).isEmpty).toBe(true);
});

test('mistakes are told by their place in what was printed', () => {
  const text = '{\n  "one": {"details": {}},\n  "two": 5\n}';

  expect(() => readDaggyrSet(text)).toThrow(SpecError);
  expect(() => readDaggyrSet(text)).toThrow(/one\.details\.command.*\ntwo \(line 3, column 3\)/);
  expect(() => readDaggyrSet('not JSON')).toThrow(SpecError);
});
