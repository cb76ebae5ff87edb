import { type AttemptResult, type EndTask, type LogWriter, unreachable } from '@runnel/core';
import type { HostEnd, HostHandle } from './host-handle.ts';
import { encodeRequest, type HostRecord, type HostTask } from './protocol.ts';

/**
 * How often the main thread looks at what a busy thread has written, and at the time. So no result waits longer, and
 * no timeout comes later than this; a look costs microseconds.
 */
const pollMs = 5;

/** How long modules may take to be imported, so that a module that never ends doesn't hold its tasks for ever. */
const importMs = 60_000;

export interface HostRunTask {
  readonly request: HostTask;
  readonly timeoutMs: number | null;
  readonly log: LogWriter;
}

export interface HostRunOptions {
  readonly host: HostHandle;
  /** False for a host that has just been started. */
  readonly ready: boolean;
  readonly tasks: readonly HostRunTask[];
  readonly signal: AbortSignal;
  /** How long a function may take to end by itself once its signal was aborted. */
  readonly graceMs: number;
  /** True for a task that took workers down before: it is poison if its own process dies too. */
  readonly isolated?: boolean;
  readonly end: EndTask;
}

export interface HostRunEnd {
  /** Not ended: to be given to another host, or cancelled where the signal was aborted. */
  readonly remaining: readonly HostRunTask[];
  /** The host is idle and can take more. */
  readonly reusable: boolean;
}

/** Lets a host carry out tasks, until all have ended, the host is gone, or the signal is aborted. */
export function runOnHost(options: HostRunOptions): Promise<HostRunEnd> {
  return new HostRun(options).done;
}

/**
 * Tasks end in their order, so `#next` is the one that runs. A task whose time is over, or all at an abort, are first
 * told so; what has not ended after the grace is ended with its host.
 */
class HostRun {
  readonly #options: HostRunOptions;
  readonly #done = Promise.withResolvers<HostRunEnd>();
  readonly #poll: NodeJS.Timeout;
  readonly #abort = (): void => this.#stop('abort');
  #finished = false;
  #ready = false;
  #next = 0;
  /** When the running task was first seen to run; while modules are imported, when that began. */
  #since = performance.now();
  #stopping: { readonly cause: 'timeout' | 'abort'; readonly at: number } | null = null;

  constructor(options: HostRunOptions) {
    this.#options = options;
    const { host, signal } = options;
    host.attach({
      receive: (record) => this.#receive(record),
      lose: (end) => this.#lose(end),
    });
    this.#poll = setInterval(() => this.#look(), pollMs);
    if (options.ready) this.#start();
    if (signal.aborted) this.#stop('abort');
    else signal.addEventListener('abort', this.#abort, { once: true });
  }

  get done(): Promise<HostRunEnd> {
    return this.#done.promise;
  }

  #start(): void {
    const { host, tasks } = this.#options;
    this.#ready = true;
    this.#since = performance.now();
    host.clear();
    host.send(encodeRequest({ kind: 'run', tasks: tasks.map((task) => task.request) }));
  }

  #receive(record: HostRecord): void {
    if (this.#finished) return;
    switch (record[0]) {
      case 'ready':
        this.#start();
        break;
      case 'log':
        this.#log(record[1], record[2]);
        break;
      case 'end':
        this.#end(record[3], record[2]);
        break;
      case 'idle':
        this.#finish(true);
        break;
      default:
        throw unreachable(record);
    }
  }

  #log(index: number, text: string): void {
    const task = this.#options.tasks[this.#next];
    // Not waited for when it can't follow: the host has its own limit of what it sends.
    if (task?.request.index === index) task.log.write(text);
  }

  #end(result: AttemptResult, durationMs: number): void {
    const task = this.#options.tasks[this.#next];
    if (task === undefined) return;
    this.#next++;
    this.#since = performance.now();
    this.#options.end(task.request.index, this.#replace(task, result), durationMs);
    if (this.#stopping?.cause === 'timeout') this.#stopping = null;
  }

  /** What a function answers after it was told to stop does not count. */
  #replace(task: HostRunTask, result: AttemptResult): AttemptResult {
    if (this.#stopping === null) return result;
    if (this.#stopping.cause === 'abort') return { outcome: 'cancelled' };
    return timedOut(task);
  }

  #look(): void {
    const { host, graceMs, tasks } = this.#options;
    host.poll();
    if (this.#finished) return;
    const now = performance.now();
    if (this.#stopping !== null) {
      if (now - this.#stopping.at >= graceMs) this.#giveUp();
      return;
    }
    const limitMs = this.#ready ? tasks[this.#next]?.timeoutMs : importMs;
    if (limitMs === undefined || limitMs === null || now - this.#since < limitMs) return;
    if (this.#ready) this.#stop('timeout');
    else this.#failImport(`the modules were not imported within ${importMs} ms`);
  }

  #stop(cause: 'timeout' | 'abort'): void {
    const { host, tasks } = this.#options;
    host.poll();
    if (this.#finished) return;
    const running = tasks[this.#next]?.request.index;
    if (running === undefined) return;
    this.#stopping = { cause, at: performance.now() };
    if (this.#ready) {
      const index = cause === 'timeout' ? running : null;
      host.send(encodeRequest({ kind: 'abort', index }));
      return;
    }
    // While modules are imported nothing runs that could be told.
    this.#giveUp();
  }

  #giveUp(): void {
    const { host, end, tasks } = this.#options;
    const task = tasks[this.#next];
    host.terminate();
    if (task !== undefined && this.#stopping?.cause === 'timeout') {
      this.#next++;
      end(task.request.index, timedOut(task), performance.now() - this.#since);
    }
    this.#finish(false);
  }

  /** The host ended by itself: the task that ran is to blame. */
  #lose(hostEnd: HostEnd): void {
    const { host, end, tasks, isolated } = this.#options;
    host.poll();
    if (this.#finished) return;
    if (this.#stopping !== null) {
      this.#giveUp();
      return;
    }
    if (!this.#ready) {
      this.#failImport(hostEnd.message);
      return;
    }
    const task = tasks[this.#next];
    if (task !== undefined) {
      this.#next++;
      const result = isolated === true ? describePoison(hostEnd) : describeLoss(hostEnd);
      end(task.request.index, result, performance.now() - this.#since);
    }
    this.#finish(false);
  }

  #failImport(message: string): void {
    const { end, host, tasks } = this.#options;
    host.terminate();
    const result: AttemptResult = {
      outcome: 'failed',
      reason: 'spawn-error',
      message: `the worker's modules with functions could not be imported: ${message}`,
      retryable: false,
    };
    for (const task of tasks) end(task.request.index, result, 0);
    this.#next = tasks.length;
    this.#finish(false);
  }

  #finish(reusable: boolean): void {
    this.#finished = true;
    clearInterval(this.#poll);
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#done.resolve({ remaining: this.#options.tasks.slice(this.#next), reusable });
  }
}

function timedOut(task: HostRunTask): AttemptResult {
  const message = `timed out after ${task.timeoutMs} ms`;
  return { outcome: 'failed', reason: 'timeout', message };
}

function describePoison({ message, signal }: HostEnd): AttemptResult {
  const poison = {
    outcome: 'failed',
    reason: 'poison',
    message: `${message}, and so were the workers that ran this task before`,
    retryable: false,
  } as const;
  return signal === undefined ? poison : { ...poison, signal };
}

function describeLoss({ message, signal }: HostEnd): AttemptResult {
  if (signal === undefined) return { outcome: 'failed', reason: 'error', message };
  return { outcome: 'failed', reason: 'signal', message, signal };
}
