import type { Batch, EndTask, ExecutorEnvironment, OpenExecutor, TaskInput } from '@runnel/core';
import { baseEnvironment } from '../base-environment.ts';
import type { FunctionDetails } from './details.ts';
import { type HostRunTask, runOnHost } from './host-run.ts';
import { startProcess } from './process-handle.ts';
import type { HostOptions } from './thread-handle.ts';
import { ThreadPool } from './thread-pool.ts';

/**
 * How long a function may take to end by itself after its signal was aborted, at most. Short: one that computes can't
 * hear it, and its thread is ended for it.
 */
const maxGraceMs = 200;

/** The function executor, ready to run functions. Users' code runs only in its threads and processes. */
export function openFunctions(environment: ExecutorEnvironment): OpenExecutor<FunctionDetails> {
  const options: HostOptions = {
    modules: environment.functions,
    environment: baseEnvironment(process.env),
  };
  const runner = {
    options,
    pool: new ThreadPool(environment.concurrency, options),
    graceMs: Math.min(environment.killGraceMs, maxGraceMs),
  };
  return {
    execute: (batch, end) => execute(runner, batch, end),
    [Symbol.asyncDispose]: () => runner.pool[Symbol.asyncDispose](),
  };
}

interface Runner {
  readonly options: HostOptions;
  readonly pool: ThreadPool;
  readonly graceMs: number;
}

interface Delivery {
  readonly signal: AbortSignal;
  readonly end: EndTask;
}

async function execute(runner: Runner, batch: Batch<FunctionDetails>, end: EndTask): Promise<void> {
  const delivery = { signal: batch.signal, end };
  const tasks = batch.tasks.map(toHostTask);
  const isIsolated = (_: unknown, index: number): boolean => batch.tasks[index]?.isolated ?? false;
  const entered = await runner.pool.enter(batch.signal);
  if (!entered) return cancelAll(tasks, end);
  try {
    const shared = tasks.filter((task, index) => !isIsolated(task, index));
    await runInThreads(runner, shared, delivery);
    for (const task of tasks.filter(isIsolated)) await runInProcess(runner, task, delivery);
  } finally {
    runner.pool.leave();
  }
}

/** One thread after another, until all have ended: each that is lost takes at least one task with it. */
async function runInThreads(
  runner: Runner,
  tasks: readonly HostRunTask[],
  delivery: Delivery,
): Promise<void> {
  let remaining = tasks;
  while (remaining.length > 0 && !delivery.signal.aborted) {
    const { host, ready } = runner.pool.take();
    const { graceMs } = runner;
    const run = await runOnHost({ host, ready, tasks: remaining, graceMs, ...delivery });
    if (run.reusable) runner.pool.giveBack(host);
    remaining = run.remaining;
  }
  cancelAll(remaining, delivery.end);
}

async function runInProcess(runner: Runner, task: HostRunTask, delivery: Delivery): Promise<void> {
  if (delivery.signal.aborted) return cancelAll([task], delivery.end);
  const host = startProcess(runner.options, task.log);
  const { graceMs } = runner;
  const isolated = true;
  const run = await runOnHost({
    host,
    ready: false,
    tasks: [task],
    graceMs,
    isolated,
    ...delivery,
  });
  host.terminate();
  await host.ended;
  cancelAll(run.remaining, delivery.end);
}

function cancelAll(tasks: readonly HostRunTask[], end: EndTask): void {
  for (const task of tasks) end(task.request.index, { outcome: 'cancelled' }, 0);
}

function toHostTask(task: TaskInput<FunctionDetails>, index: number): HostRunTask {
  const { run, task: identity, idempotencyKey, inputs, details, timeoutMs, log } = task;
  const { name, input } = details;
  const request = { index, name, input, run, task: identity, idempotencyKey, inputs };
  return { request, timeoutMs, log };
}
