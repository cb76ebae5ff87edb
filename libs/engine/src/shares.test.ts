import { expect, test } from 'vitest';
import { shareOf } from './shares.ts';

test('a run that is alone gets a window of twice the slots', () => {
  expect(shareOf(4, new Map([[0, 1]]), 0)).toEqual({ window: 8, slots: 4 });
});

test('runs of one priority share', () => {
  expect(shareOf(4, new Map([[0, 3]]), 0)).toEqual({ window: 3, slots: 2 });
});

test('a run behind one of higher priority goes on with one delivery at a time', () => {
  const demand = new Map([
    [0, 1],
    [5, 1],
  ]);

  expect(shareOf(4, demand, 0)).toEqual({ window: 1, slots: 1 });
  expect(shareOf(4, demand, 5)).toEqual({ window: 8, slots: 4 });
});

test('a queue without workers has a window of 1', () => {
  expect(shareOf(0, new Map([[0, 1]]), 0)).toEqual({ window: 1, slots: 1 });
});
