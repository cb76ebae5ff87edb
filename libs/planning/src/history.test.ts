import { expect, test } from 'vitest';
import type { ClassStatistics } from './class-statistics.ts';
import { bucketOf, quantileOf } from './duration-histogram.ts';
import { decodeStatistics, encodeStatistics, meanOf, sumStatistics } from './history.ts';

function measured(name: string, durations: readonly number[], failed = 0): ClassStatistics {
  const counts: Record<string, number> = {};
  for (const ms of durations) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
  const attempts = durations.length + failed;
  return {
    ...{ class: name, tasks: durations.length, attempts, failedAttempts: failed },
    ...{ retriedTasks: failed, durations: counts },
  };
}

test('the sum of several runs is as if they had been one', () => {
  const one = [measured('pull', [100, 200], 1), measured('clean', [5])];
  const other = [measured('pull', [300, 400, 500]), measured('new', [1])];

  const sum = sumStatistics([one, other]);

  const whole = [
    measured('pull', [100, 200, 300, 400, 500], 1),
    measured('clean', [5]),
    measured('new', [1]),
  ];
  expect(sum).toEqual(whole);
  expect(quantileOf(sum[0]?.durations ?? {}, 0.5)).toBeCloseTo(300, -2);
});

test('what is kept is read as it was; what is something else is refused', () => {
  const classes = [measured('pull', [100, 200], 1)];

  expect(decodeStatistics(encodeStatistics(classes))).toEqual(classes);
  expect(() => decodeStatistics('[{"class":1}]')).toThrow();
});

test('a mean is right within the width of a bucket; there is none of nothing', () => {
  expect(meanOf(measured('a', [100, 200, 600]).durations)).toBeGreaterThan(300 * 0.95);
  expect(meanOf(measured('a', [100, 200, 600]).durations)).toBeLessThan(300 * 1.05);
  expect(meanOf({})).toBeNull();
});
