import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { onShutdown, type ShutdownHost } from './shutdown.ts';

/** Stands for `process`: signals are emitted, exits are noted. */
function fakeHost() {
  const emitter = new EventEmitter();
  const exited = Promise.withResolvers<number>();
  const exits: number[] = [];
  const host: ShutdownHost = {
    on: (signal, listener) => emitter.on(signal, listener),
    exit: (code) => {
      exits.push(code);
      exited.resolve(code);
    },
  };
  return { host, exits, exited: exited.promise, emit: (name: string) => emitter.emit(name, name) };
}

const log = { info: () => undefined, error: () => undefined };

test('closes what was deferred last first and exits with 0', async () => {
  const { host, exited, emit } = fakeHost();
  const closed: string[] = [];
  const shutdown = onShutdown({ deadlineMs: 5_000, log, host });
  shutdown.defer('redis', () => closed.push('redis'));
  shutdown.defer('worker', async () => {
    await Promise.resolve();
    closed.push(`worker, asked to stop: ${shutdown.signal.aborted}`);
  });

  emit('SIGTERM');

  expect(await exited).toBe(0);
  expect(closed).toEqual(['worker, asked to stop: true', 'redis']);
});

test('exits at once on a second signal', async () => {
  const { host, exits, emit } = fakeHost();
  const shutdown = onShutdown({ deadlineMs: 5_000, log, host });
  const never = Promise.withResolvers<void>();
  shutdown.defer('stuck', () => never.promise);

  emit('SIGINT');
  emit('SIGINT');

  expect(exits).toEqual([130]);
  never.resolve();
});

test('exits with 1 when the deadline passes', async () => {
  const { host, exited, emit } = fakeHost();
  const shutdown = onShutdown({ deadlineMs: 10, log, host });
  const never = Promise.withResolvers<void>();
  shutdown.defer('stuck', () => never.promise);

  emit('SIGTERM');

  expect(await exited).toBe(1);
  never.resolve();
});

test('goes on closing after something threw, and exits with 1', async () => {
  const { host, exited, emit } = fakeHost();
  const closed: string[] = [];
  const shutdown = onShutdown({ deadlineMs: 5_000, log, host });
  shutdown.defer('first', () => closed.push('first'));
  shutdown.defer('broken', () => {
    throw new Error('broken');
  });

  emit('SIGTERM');

  expect(await exited).toBe(1);
  expect(closed).toEqual(['first']);
});
