import { beforeEach, expect, test } from 'vitest';
import { createOutbox, type OutboxWriter, readOutbox, writeOutbox } from './outbox.ts';
import { OutboxFollower } from './outbox-follower.ts';
import { encodeRecord, type HostRecord, succeeded } from './protocol.ts';

let writer: OutboxWriter;
let follower: OutboxFollower;
let told: unknown[];

beforeEach(() => {
  const shared = createOutbox();
  writer = writeOutbox(shared);
  follower = new OutboxFollower(readOutbox(shared));
  told = [];
  follower.observer = {
    ready: () => told.push('ready'),
    log: (position, text) => told.push(['log', position, text]),
    end: (position, durationMs, result) => told.push(['end', position, durationMs, result]),
    askSecret: (position, call, name) => told.push(['secret', position, call, name]),
    idle: () => told.push('idle'),
    lose: () => told.push('lose'),
  };
});

function write(record: HostRecord): void {
  writer.write(encodeRecord(record));
}

test('tells ends without words', () => {
  writer.end(0, 1);
  writer.end(1, 2);

  follower.poll();
  follower.poll();

  expect(told).toEqual([
    ['end', 0, 1, succeeded],
    ['end', 1, 2, succeeded],
  ]);
});

test('keeps the order of ends with and without words, and of logs', () => {
  writer.end(0, 1);
  write(['log', 1, 'a']);
  writer.end(1, 2);
  write(['end', 2, 3, { outcome: 'failed', reason: 'error', message: 'b' }]);
  write(['output', 3, 4, { c: 5 }]);
  writer.end(4, 6);

  follower.poll();

  expect(told).toEqual([
    ['end', 0, 1, succeeded],
    ['log', 1, 'a'],
    ['end', 1, 2, succeeded],
    ['end', 2, 3, { outcome: 'failed', reason: 'error', message: 'b' }],
    ['end', 3, 4, { outcome: 'succeeded', output: { c: 5 } }],
    ['end', 4, 6, succeeded],
  ]);
});

test('tells what was written before what was posted', () => {
  writer.end(0, 1);
  write(['log', 1, 'a']);
  writer.end(1, 2);

  follower.receive(encodeRecord(['idle']));

  expect(told).toEqual([
    ['end', 0, 1, succeeded],
    ['log', 1, 'a'],
    ['end', 1, 2, succeeded],
    'idle',
  ]);
});

test('begins anew with the next tasks', () => {
  writer.end(0, 1);
  follower.poll();
  follower.clear();

  writer.end(0, 7);
  follower.poll();

  expect(told).toEqual([
    ['end', 0, 1, succeeded],
    ['end', 0, 7, succeeded],
  ]);
});
