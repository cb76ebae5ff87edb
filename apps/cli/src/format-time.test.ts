import { expect, test } from 'vitest';
import { formatAge, formatElapsed } from './format-time.ts';

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [3_250, '3.2 s'],
  [59_999, '59.9 s'],
  [245_000, '4m 05s'],
  [7_380_000, '2h 03m'],
  [273_600_000, '3d 04h'],
])('writes %i ms as %s', (ms, text) => {
  expect(formatElapsed(ms)).toBe(text);
});

test.each([
  [100, 'just now'],
  [12_000, '12 s ago'],
  [300_000, '5 min ago'],
  [172_800_000, '2 d ago'],
])('writes an age of %i ms as %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
