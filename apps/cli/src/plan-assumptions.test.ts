import { expect, test } from 'vitest';
import { UsageError } from './exit-codes.ts';
import { type AssumptionTexts, readAssumptions } from './plan-assumptions.ts';

const nothing: AssumptionTexts = {
  ...{ durations: [], slots: [], failureRates: [] },
  classes: ['pull', 'clean'],
  queues: ['default', 'default.waits'],
  defaultSlots: (lane) => (lane === 'waits' ? 1_000 : 2),
};

test('takes what is said of a class, else what is said of all, else what is assumed', () => {
  const { estimates, slotsOf, assumed } = readAssumptions({
    ...nothing,
    durations: ['pull=2s..10s'],
    failureRates: ['0.1', 'clean=0'],
    slots: ['default=8'],
  });

  expect(estimates.duration('pull')).toEqual({ p50Ms: 2_000, p95Ms: 10_000 });
  expect(estimates.duration('clean')).toEqual({ p50Ms: 1_000, p95Ms: 1_000 });
  expect([estimates.failureRate('pull'), estimates.failureRate('clean')]).toEqual([0.1, 0]);
  expect([slotsOf('default'), slotsOf('default.waits')]).toEqual([8, 1_000]);
  expect([...assumed]).toEqual(['clean']);
});

test('what was learnt stands below what is given, and above what is assumed', () => {
  const learnt = {
    duration: (name: string) => (name === 'pull' ? { p50Ms: 5, p95Ms: 7 } : undefined),
    failureRate: () => 0.25,
  };

  const { estimates, assumed } = readAssumptions({ ...nothing, learnt });
  const given = readAssumptions({ ...nothing, learnt, durations: ['9s'], failureRates: ['0'] });

  expect(estimates.duration('pull')).toEqual({ p50Ms: 5, p95Ms: 7 });
  expect(estimates.duration('clean')).toEqual({ p50Ms: 1_000, p95Ms: 1_000 });
  expect(estimates.failureRate('clean')).toBe(0.25);
  expect([...assumed]).toEqual(['clean']);
  expect(given.estimates.duration('pull')).toEqual({ p50Ms: 9_000, p95Ms: 9_000 });
  expect(given.estimates.failureRate('pull')).toBe(0);
});

test.each([
  [{ durations: ['pul=2s'] }, 'there is no pul; there is pull, clean'],
  [{ durations: ['pull=2'] }, 'write a class and how long'],
  [{ durations: ['pull=10s..2s'] }, 'write a class and how long'],
  [{ failureRates: ['1.5'] }, 'a share from 0 to 1'],
  [{ slots: ['default=0'] }, 'a whole number from 1 on'],
])('%j is refused with what would be right', (wrong, text) => {
  expect(() => readAssumptions({ ...nothing, ...wrong })).toThrow(UsageError);
  expect(() => readAssumptions({ ...nothing, ...wrong })).toThrow(text);
});
