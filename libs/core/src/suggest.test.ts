import { expect, test } from 'vitest';
import { suggest } from './suggest.ts';

const known = ['local', 'function', 'noop', 'sleep'];

test.each([
  ['locl', ' (did you mean "local"?)'],
  ['Local', ' (did you mean "local"?)'],
  ['funtcion', ' (did you mean "function"?)'],
  ['slep', ' (did you mean "sleep"?)'],
  ['kubernetes', ''],
  ['', ''],
])('answers %j with %j', (name, expected) => {
  expect(suggest(name, known)).toBe(expected);
});
