import { expect, test } from 'vitest';
import { maxTries, nextTryDelayMs, parseRetryAfter } from './tries.ts';

test('all tries together take about a day', () => {
  const delays = Array.from({ length: maxTries - 1 }, (_, index) =>
    nextTryDelayMs(index + 1, null, 0.5),
  );

  expect(delays.slice(0, 4)).toEqual([5_000, 15_000, 45_000, 135_000]);
  expect(delays.at(-1)).toBe(21_600_000);
  expect(delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000).toBeCloseTo(22.5, 0);
});

test('a delay is spread by a fifth to both sides', () => {
  expect(nextTryDelayMs(1, null, 0)).toBe(4_000);
  expect(nextTryDelayMs(1, null, 0.999)).toBeLessThan(6_000);
});

test.each([
  [600_000, 600_000],
  [1, 5_000],
  [90 * 3_600_000, 24 * 3_600_000],
])('a receiver that asks for %i ms gets %i ms', (asked, got) => {
  expect(nextTryDelayMs(1, asked, 0.5)).toBe(got);
});

test.each([
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', null],
  [undefined, null],
])('Retry-After: %s means %s ms', (value, ms) => {
  expect(parseRetryAfter(value, 10_000)).toBe(ms);
});
