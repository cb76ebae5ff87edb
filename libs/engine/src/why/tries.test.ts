import { expect, test } from 'vitest';
import { describeTry } from './tries.ts';

test.each([
  [1, 2, 0, '1 of 3'],
  [5, 2, 3, 'the 2nd of 3 since the retry'],
  [4, 0, 3, 'the 1st of 1 since the retry'],
  [14, 20, 2, 'the 12th of 21 since the retry'],
  [24, 30, 2, 'the 22nd of 31 since the retry'],
])('attempt %i with %i retries after %i is %s', (attempt, limit, base, words) => {
  expect(describeTry(attempt, limit, base)).toBe(words);
});
