import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addCounts, bucketOf, type DurationCounts, quantileOf } from './duration-histogram.ts';

const durations = fc.array(fc.double({ min: 0.001, max: 2e9, noNaN: true }), { minLength: 1 });

function count(values: readonly number[]): DurationCounts {
  return values
    .map((value): DurationCounts => ({ [bucketOf(value)]: 1 }))
    .reduce((sum, one) => addCounts(sum, one), {});
}

test('quantiles are off by less than a bucket', () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.95, 1), (values, share) => {
      const sorted = [...values].sort((one, other) => one - other);
      const exact = sorted[Math.ceil(share * values.length) - 1] ?? 0;

      const found = quantileOf(count(values), share) ?? Number.NaN;

      expect(Math.abs(Math.log2(Math.max(found, 0.001) / exact))).toBeLessThanOrEqual(1 / 8 + 1e-9);
    }),
  );
});

test('parts counted apart give what all of them give', () => {
  fc.assert(
    fc.property(durations, durations, (one, other) => {
      expect(addCounts(count(one), count(other))).toEqual(count([...one, ...other]));
    }),
  );
});

test('nothing has no quantile, and what was not measurable is 0', () => {
  expect(quantileOf({}, 0.5)).toBeNull();
  expect(quantileOf(count([0, 0, 0]), 0.5)).toBe(0);
});
