import { expect, test } from 'vitest';
import { HostSlots } from './slots.ts';

test('a host takes no more than its part', () => {
  const slots = new HostSlots({ total: 3, perHost: 2 });

  const taken = ['r1', 'r2', 'r3'].map((run) => slots.take('dead', run));

  expect(taken).toEqual([true, true, false]);
  expect(slots.take('alive', 'r4')).toBe(true);
  expect(slots.taken).toBe(3);
});

test('who waits is served in order, those of the same host first', () => {
  const slots = new HostSlots({ total: 2, perHost: 1 });
  slots.take('a', 'r1');
  slots.take('b', 'r2');
  for (const [host, run] of [
    ['c', 'r3'],
    ['a', 'r4'],
    ['a', 'r5'],
    ['a', 'r4'],
  ] as const) {
    slots.take(host, run);
  }

  const served = [slots.give('a'), slots.give('b')];
  slots.take('a', 'r4');
  slots.take('c', 'r3');

  expect(served).toEqual(['r4', 'r3']);
  expect(slots.give('a')).toBe('r5');
});

test('a slot of one host is given to one that waits for another where nobody waits for the same', () => {
  const slots = new HostSlots({ total: 1, perHost: 1 });
  slots.take('a', 'r1');
  slots.take('b', 'r2');

  expect(slots.give('a')).toBe('r2');
});

test('a slot is not given to a host that has its part', () => {
  const slots = new HostSlots({ total: 5, perHost: 1 });
  slots.take('a', 'r1');
  slots.take('b', 'r2');
  slots.take('b', 'r3');

  expect(slots.give('a')).toBeNull();
  expect(slots.give('b')).toBe('r3');
});
