import { expect, test } from 'vitest';
import { closestName } from './closest-name.ts';

const known = ['local', 'function', 'noop', 'sleep'];

test.each([
  ['locl', 'local'],
  ['Local', 'local'],
  ['funtcion', 'function'],
  ['slep', 'sleep'],
  ['kubernetes', undefined],
  ['', undefined],
])('takes %j for %j', (name, expected) => {
  expect(closestName(name, known)).toBe(expected);
});
