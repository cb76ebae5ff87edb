import { Worker } from 'node:worker_threads';
import { describeThrown } from '@runnel/core';
import type { HostEnd, HostHandle } from './host-handle.ts';
import { type HostOptions, hostEnvironment } from './host-options.ts';
import { createOutbox, readOutbox } from './outbox.ts';
import { OutboxFollower } from './outbox-follower.ts';
import type { HostRequest, ThreadData } from './protocol.ts';

/**
 * Of a thread, for objects that die young. V8's own limit is 96, which sixteen threads that compute fill with 1.5 GB; with
 * this one, code that does nothing but make objects takes a third more CPU. What lives longer has V8's own limit.
 */
const youngMb = 6;

/** A thread that runs functions. */
export interface ThreadHandle extends HostHandle {
  /** How much of the time since the last call its event loop was at work rather than waiting: 0 to 1. */
  busyShare(): number;
}

/** Starts a thread that can run functions. */
export function startThread(options: HostOptions): ThreadHandle {
  const outbox = createOutbox();
  const data: ThreadData = { modules: options.modules, outbox };
  const thread = new Worker(new URL('./host-main.ts', import.meta.url), {
    name: 'runnel-function',
    workerData: data,
    env: hostEnvironment(options),
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  });
  const follower = new OutboxFollower(readOutbox(outbox));
  let isReady = false;
  let lastUse = thread.performance.eventLoopUtilization();
  let terminated = false;

  const ended = Promise.withResolvers<HostEnd>();
  let thrown: unknown;
  thread.on('error', (error) => {
    thrown = error;
  });
  thread.on('exit', (code) => {
    const end = { message: describeExit(thrown, code) };
    follower.observer?.lose(end);
    ended.resolve(end);
  });
  thread.on('message', (joined: string) => {
    isReady = true;
    if (!terminated) follower.receive(joined);
  });
  const post = (request: HostRequest): void => thread.postMessage(request);
  return {
    get isReady() {
      return isReady;
    },
    attach: (next) => {
      follower.observer = next;
    },
    run: (request) => {
      follower.clear();
      post(request);
    },
    abort: (position) => post({ kind: 'abort', position }),
    answerSecret: (call, answer) => post({ kind: 'secret', call, ...answer }),
    poll: () => {
      if (!terminated) follower.poll();
    },
    busyShare: () => {
      const use = thread.performance.eventLoopUtilization();
      const share = thread.performance.eventLoopUtilization(use, lastUse).utilization;
      lastUse = use;
      return share;
    },
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
