import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchInterrupts } from './interrupts.ts';

test('the first signal asks, the second insists', () => {
  const host = new EventEmitter();
  let now = 0;
  using interrupts = watchInterrupts(host, () => now);

  host.emit('SIGINT', 'SIGINT');
  const afterFirst = [interrupts.first.reason, interrupts.second.aborted];
  now = 1_000;
  host.emit('SIGINT', 'SIGINT');

  expect(afterFirst).toEqual(['SIGINT', false]);
  expect(interrupts.second.aborted).toBe(true);
});

test('takes a signal that npm passes on for the one that the terminal gave', () => {
  const host = new EventEmitter();
  let now = 0;
  using interrupts = watchInterrupts(host, () => now);

  host.emit('SIGINT', 'SIGINT');
  now = 20;
  host.emit('SIGTERM', 'SIGTERM');

  expect(interrupts.second.aborted).toBe(false);
});

test('listens no longer than it is asked to', () => {
  const host = new EventEmitter();

  watchInterrupts(host)[Symbol.dispose]();

  expect(host.eventNames()).toEqual([]);
});
