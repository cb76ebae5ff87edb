import { Worker } from 'node:worker_threads';
import { describeThrown } from '@runnel/core';
import type { HostEnd, HostHandle, HostObserver } from './host-handle.ts';
import { createOutbox, readOutbox } from './outbox.ts';
import { decodeRecords, type ThreadData } from './protocol.ts';

export interface HostOptions {
  readonly modules: readonly string[];
  /** All of the environment that functions see. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a thread that can run functions. */
export function startThread(options: HostOptions): HostHandle {
  const shared = createOutbox();
  const outbox = readOutbox(shared);
  const data: ThreadData = { modules: options.modules, outbox: shared };
  const thread = new Worker(new URL('./host-main.ts', import.meta.url), {
    name: 'runnel-function',
    workerData: data,
    env: options.environment,
    execArgv: [],
  });
  let observer: HostObserver | null = null;
  let terminated = false;
  const handOver = (joined: string): void => {
    if (joined === '' || terminated) return;
    for (const record of decodeRecords(joined)) observer?.receive(record);
  };
  const poll = (): void => handOver(outbox.read());

  const ended = Promise.withResolvers<HostEnd>();
  let thrown: unknown;
  thread.on('error', (error) => {
    thrown = error;
  });
  thread.on('exit', (code) => {
    const end = { message: describeExit(thrown, code) };
    observer?.lose(end);
    ended.resolve(end);
  });
  thread.on('message', (joined: string) => {
    // What stands in the outbox was written before.
    poll();
    handOver(joined);
  });
  return {
    attach: (next) => {
      observer = next;
    },
    send: (request) => thread.postMessage(request),
    poll,
    clear: () => outbox.clear(),
    ended: ended.promise,
    terminate: () => {
      terminated = true;
      // Not waited for: a function inside a blocking call of the system ends only after that call.
      thread.terminate().catch(() => undefined);
    },
  };
}

function describeExit(thrown: unknown, code: number): string {
  const cause = thrown === undefined ? `exit code ${code}` : describeThrown(thrown);
  return `the function's thread ended (${cause})`;
}
