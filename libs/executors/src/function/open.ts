import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Batch, EndTask, ExecutorEnvironment, OpenExecutor } from '@runnel/core';
import { baseEnvironment } from '../base-environment.ts';
import type { FunctionDetails } from './details.ts';
import type { HostOptions } from './host-options.ts';
import { runOnHost } from './host-run.ts';
import { startProcess } from './process-handle.ts';
import { ThreadPool } from './thread-pool.ts';
import { Ticker } from './ticker.ts';

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
    cacheDir: join(environment.dataDir, 'compile-cache'),
  };
  const pool = new ThreadPool({ ...options, size: environment.concurrency });
  const graceMs = Math.min(environment.killGraceMs, maxGraceMs);
  const runner = { options, pool, ticker: new Ticker(), graceMs };
  // As many as can compute at once; others come when they are needed.
  const ahead = Math.min(environment.concurrency, availableParallelism());
  for (let thread = 0; thread < ahead && environment.functions.length > 0; thread++) {
    pool.prestart();
  }
  return {
    execute: (batch, end) => execute(runner, { ...batch, end }),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

interface Runner {
  readonly options: HostOptions;
  readonly pool: ThreadPool;
  readonly ticker: Ticker;
  readonly graceMs: number;
}

interface Delivery extends Batch<FunctionDetails> {
  readonly end: EndTask;
}

async function execute(runner: Runner, delivery: Delivery): Promise<void> {
  const together: number[] = [];
  const isolated: number[] = [];
  for (const [place, task] of delivery.tasks.entries()) {
    (task.isolated ? isolated : together).push(place);
  }
  const entered = await runner.pool.enter(delivery.signal);
  if (!entered) return cancelAll(delivery, [...together, ...isolated]);
  try {
    await runInThreads(runner, delivery, together);
    for (const place of isolated) await runInProcess(runner, delivery, place);
  } finally {
    runner.pool.leave();
  }
}

/** One thread after another, until all have ended: each that is lost takes at least one task with it. */
async function runInThreads(
  runner: Runner,
  delivery: Delivery,
  places: readonly number[],
): Promise<void> {
  let remaining = places;
  while (remaining.length > 0 && !delivery.signal.aborted) {
    const { ticker, graceMs } = runner;
    const host = await runner.pool.take(delivery.signal);
    if (host === null) break;
    const run = await runOnHost({ host, ticker, graceMs, ...delivery, places: remaining });
    if (run.reusable) runner.pool.giveBack(host);
    else runner.pool.end(host);
    remaining = run.remaining;
  }
  cancelAll(delivery, remaining);
}

async function runInProcess(runner: Runner, delivery: Delivery, place: number): Promise<void> {
  const task = delivery.tasks[place];
  if (task === undefined || delivery.signal.aborted) return cancelAll(delivery, [place]);
  const { ticker, graceMs } = runner;
  const host = startProcess(runner.options, task.log);
  const isolated = true;
  const run = await runOnHost({ host, ticker, graceMs, ...delivery, places: [place], isolated });
  host.terminate();
  await host.ended;
  cancelAll(delivery, run.remaining);
}

function cancelAll(delivery: Delivery, places: readonly number[]): void {
  for (const place of places) delivery.end(place, { outcome: 'cancelled' }, 0);
}
