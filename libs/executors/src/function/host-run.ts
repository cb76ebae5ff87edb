import type { AttemptResult, EndTask, TaskCancels, TaskInput } from '@runnel/core';
import { encodeBatch } from './batch-request.ts';
import type { FunctionDetails } from './details.ts';
import type { HostEnd, HostHandle, HostObserver } from './host-handle.ts';
import type { Ticker } from './ticker.ts';

/** How long modules may take to be imported, so that a module that never ends doesn't hold its tasks for ever. */
const importMs = 60_000;

export interface HostRunOptions {
  readonly host: HostHandle;
  readonly ticker: Ticker;
  /** Of the whole batch. */
  readonly tasks: readonly TaskInput<FunctionDetails>[];
  /** Which of them are to run. */
  readonly places: readonly number[];
  readonly signal: AbortSignal;
  readonly cancels?: TaskCancels | undefined;
  /** How long a function may take to end by itself once its signal was aborted. */
  readonly graceMs: number;
  /** True for a task that took workers down before: it is poison if its own process dies too. */
  readonly isolated?: boolean;
  readonly end: EndTask;
}

export interface HostRunEnd {
  /** Places of tasks that have not ended: for another host, or cancelled where the signal was aborted. */
  readonly remaining: readonly number[];
  /** The host is idle and can take more. */
  readonly reusable: boolean;
}

/** Lets a host carry out tasks, until all have ended, the host is gone, or the signal is aborted. */
export function runOnHost(options: HostRunOptions): Promise<HostRunEnd> {
  return new HostRun(options).done;
}

/** Why what runs is told to end: its time is over, it was cancelled, or the whole batch is to end. */
type StopCause = 'timeout' | 'cancel' | 'abort';

/**
 * Tasks end in their order, so `#next` is the position of the one that runs. A task whose time is over, or all at an
 * abort, are first told so; what has not ended after the grace is ended with its host.
 */
class HostRun implements HostObserver {
  readonly #options: HostRunOptions;
  readonly #done = Promise.withResolvers<HostRunEnd>();
  readonly #look = (): void => this.#lookAround();
  #finished = false;
  #started = false;
  #next = 0;
  /** The task that ran at the last look, and when it was first seen; while modules are imported, when that began. */
  #seen = 0;
  #since = performance.now();
  #stopping: { readonly cause: StopCause; readonly at: number } | null = null;

  constructor(options: HostRunOptions) {
    this.#options = options;
    const { host, ticker } = options;
    host.attach(this);
    ticker.add(this.#look);
    if (host.isReady) this.ready();
  }

  get done(): Promise<HostRunEnd> {
    return this.#done.promise;
  }

  ready(): void {
    if (this.#finished) return;
    const { host, tasks, places } = this.#options;
    this.#started = true;
    this.#since = performance.now();
    host.run(encodeBatch(tasks, places));
  }

  log(position: number, text: string): void {
    if (this.#finished || position !== this.#next) return;
    // Not waited for when it can't follow: the host has its own limit of what it sends.
    this.#running()?.log.write(text);
  }

  /** Of the task that runs: its worker knows the value before the function does, and keeps it out of what it writes. */
  askSecret(position: number, call: number, name: string): void {
    const task = position === this.#next ? this.#running() : undefined;
    if (this.#finished || task === undefined) return;
    task.secret(name).then(
      (value) => this.#options.host.answerSecret(call, { found: true, value }),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.host.answerSecret(call, { found: false, message });
      },
    );
  }

  end(_: number, durationMs: number, result: AttemptResult): void {
    if (this.#finished) return;
    this.#endRunning(this.#replace(result), durationMs);
    if (this.#stopping?.cause !== 'abort') this.#stopping = null;
  }

  idle(): void {
    if (!this.#finished) this.#finish(true);
  }

  /** The host ended by itself: the task that ran is to blame. */
  lose(hostEnd: HostEnd): void {
    this.#poll();
    if (this.#finished) return;
    if (this.#stopping !== null) {
      this.#giveUp();
      return;
    }
    if (!this.#started) {
      this.#failImport(hostEnd.message);
      return;
    }
    const isPoison = this.#options.isolated === true;
    const result = isPoison ? describePoison(hostEnd) : describeLoss(hostEnd);
    this.#endRunning(result, performance.now() - this.#since);
    this.#finish(false);
  }

  #running(): TaskInput<FunctionDetails> | undefined {
    const place = this.#options.places[this.#next];
    return place === undefined ? undefined : this.#options.tasks[place];
  }

  #endRunning(result: AttemptResult, durationMs: number): void {
    const place = this.#options.places[this.#next];
    if (place === undefined) return;
    this.#next++;
    this.#options.end(place, result, durationMs);
  }

  /** What a function answers after it was told to stop does not count. */
  #replace(result: AttemptResult): AttemptResult {
    if (this.#stopping === null) return result;
    return this.#stopping.cause === 'timeout'
      ? timedOut(this.#running())
      : { outcome: 'cancelled' };
  }

  #poll(): void {
    this.#options.host.poll();
    if (this.#next === this.#seen) return;
    this.#seen = this.#next;
    this.#since = performance.now();
  }

  #lookAround(): void {
    this.#poll();
    if (this.#finished) return;
    const { graceMs, signal } = this.#options;
    const now = performance.now();
    if (signal.aborted && this.#stopping?.cause !== 'abort') this.#stop('abort');
    else if (this.#stopping === null && this.#isCancelled()) this.#stop('cancel');
    else if (this.#stopping === null) this.#checkTime(now - this.#since);
    else if (now - this.#stopping.at >= graceMs) this.#giveUp();
  }

  /** Whether the task that runs must end, and the others not. */
  #isCancelled(): boolean {
    const place = this.#options.places[this.#next];
    return (
      this.#started && place !== undefined && this.#options.cancels?.isCancelled(place) === true
    );
  }

  #checkTime(elapsedMs: number): void {
    const limitMs = this.#started ? this.#running()?.timeoutMs : importMs;
    if (limitMs === undefined || limitMs === null || elapsedMs < limitMs) return;
    if (this.#started) this.#stop('timeout');
    else this.#failImport(`the modules were not imported within ${importMs} ms`);
  }

  #stop(cause: StopCause): void {
    this.#stopping = { cause, at: performance.now() };
    if (this.#started) this.#options.host.abort(cause === 'abort' ? null : this.#next);
    // While modules are imported nothing runs that could be told.
    else this.#giveUp();
  }

  #giveUp(): void {
    this.#options.host.terminate();
    if (this.#stopping !== null && this.#stopping.cause !== 'abort') {
      const elapsedMs = performance.now() - this.#since;
      this.#endRunning(this.#replace({ outcome: 'cancelled' }), elapsedMs);
    }
    this.#finish(false);
  }

  #failImport(message: string): void {
    this.#options.host.terminate();
    const result: AttemptResult = {
      outcome: 'failed',
      reason: 'spawn-error',
      message: `the worker's modules with functions could not be imported: ${message}`,
      retryable: false,
    };
    while (this.#running() !== undefined) this.#endRunning(result, 0);
    this.#finish(false);
  }

  #finish(reusable: boolean): void {
    this.#finished = true;
    this.#options.ticker.delete(this.#look);
    this.#done.resolve({ remaining: this.#options.places.slice(this.#next), reusable });
  }
}

function timedOut(task: TaskInput<FunctionDetails> | undefined): AttemptResult {
  const message = `timed out after ${task?.timeoutMs} ms`;
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
