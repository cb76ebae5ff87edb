import type { z } from 'zod';
import {
  AttemptAbort,
  type Batch,
  type EndTask,
  type Executor,
  type Lane,
  signalOf,
  type TaskContext,
  type TaskInput,
} from './executor.ts';
import type { AttemptFailed, AttemptResult } from './outcome.ts';
import { describeMissingSecret, SecretError } from './secrets/secret-source.ts';

/** The form that most executors have: one task at a time, nothing kept between tasks. */
export interface SimpleExecutor<Details> {
  readonly name: string;
  readonly details: z.ZodType<Details>;
  /** Default `computes`. */
  readonly lane?: Lane;
  /** Default 1; a larger delivery is carried out one task after another. */
  readonly maxBatch?: number;
  /** A thrown error is a failure with its message, or a timeout or cancel where the signal was aborted. */
  execute(context: TaskContext<Details>): Promise<AttemptResult | 'succeeded'>;
}

/**
 * Makes an executor of one function.
 *
 * @example
 * export const hello = defineExecutor({
 *   name: 'hello',
 *   details: z.strictObject({ to: z.string() }),
 *   async execute({ details, log }) {
 *     log.write(`hello ${details.to}\n`);
 *     return 'succeeded';
 *   },
 * });
 */
export function defineExecutor<Details>(definition: SimpleExecutor<Details>): Executor<Details> {
  return {
    name: definition.name,
    lane: definition.lane ?? 'computes',
    details: definition.details,
    maxBatch: definition.maxBatch ?? 1,
    open: async () => ({
      execute: (batch, end) => executeInTurn(definition, batch, end),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}

async function executeInTurn<Details>(
  definition: SimpleExecutor<Details>,
  batch: Batch<Details>,
  end: EndTask,
): Promise<void> {
  for (const [index, task] of batch.tasks.entries()) {
    const startedAt = performance.now();
    const result = await executeOne(definition, task, signalOf(batch, index));
    end(index, result, performance.now() - startedAt);
  }
}

async function executeOne<Details>(
  definition: SimpleExecutor<Details>,
  task: TaskInput<Details>,
  outer: AbortSignal,
): Promise<AttemptResult> {
  const deadline = startDeadline(task.timeoutMs, outer);
  try {
    deadline.signal.throwIfAborted();
    const result = await definition.execute(Object.assign({ signal: deadline.signal }, task));
    return result === 'succeeded' ? { outcome: 'succeeded' } : result;
  } catch (error: unknown) {
    return describeFailure(error, deadline.signal, task.timeoutMs);
  } finally {
    deadline.clear();
  }
}

/** Timers count in 31 bits: a longer one would fire at once. 24.8 days. */
const longestTimerMs = 2 ** 31 - 1;

/** A signal that follows `outer` and is aborted with `timeout` after `timeoutMs`. */
export function startDeadline(
  timeoutMs: number | null,
  outer: AbortSignal,
): { readonly signal: AbortSignal; clear(): void } {
  if (timeoutMs === null) return { signal: outer, clear: () => undefined };
  const own = new AbortController();
  const timer = setTimeout(
    () => own.abort(new AttemptAbort('timeout')),
    Math.min(timeoutMs, longestTimerMs),
  );
  return {
    signal: AbortSignal.any([outer, own.signal]),
    clear: () => clearTimeout(timer),
  };
}

/** What an attempt's end is when its code threw: the abort's cause first, else the error itself. */
export function describeFailure(
  error: unknown,
  signal: AbortSignal,
  timeoutMs: number | null,
): AttemptResult {
  if (signal.aborted && signal.reason instanceof AttemptAbort) {
    if (signal.reason.abortCause !== 'timeout') return { outcome: 'cancelled' };
    return { outcome: 'failed', reason: 'timeout', message: `timed out after ${timeoutMs} ms` };
  }
  return describeError(error);
}

/** An error that no abort explains, as the end of an attempt. */
export function describeError(error: unknown): AttemptFailed {
  if (error instanceof SecretError) return describeMissingSecret(error);
  return { outcome: 'failed', reason: 'error', message: describeThrown(error) };
}

/** `TypeError: x is not a function` for an error, the value itself for anything else. */
export function describeThrown(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
