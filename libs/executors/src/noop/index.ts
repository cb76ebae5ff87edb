import type { AttemptResult, Batch, EndTask, Executor, JsonObject } from '@runnel/core';
import { z } from 'zod';

const noopDetails = z.strictObject({ output: z.record(z.string(), z.json()).optional() });

export interface NoopDetails {
  /** Handed on as the task's output. */
  readonly output?: JsonObject | undefined;
}

const succeeded: AttemptResult = { outcome: 'succeeded' };

/** Does nothing and succeeds: for joins, tests and measuring the engine. */
export const noop: Executor<NoopDetails> = {
  name: 'noop',
  lane: 'computes',
  maxBatch: 256,
  details: noopDetails,
  open: async () => ({
    execute: async (batch, end) => endAll(batch, end),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};

function endAll(batch: Batch<NoopDetails>, end: EndTask): void {
  for (let index = 0; index < batch.tasks.length; index++) {
    end(index, resultOf(batch.tasks[index]?.details.output, batch.signal), 0);
  }
}

function resultOf(output: JsonObject | undefined, signal: AbortSignal): AttemptResult {
  if (signal.aborted) return { outcome: 'cancelled' };
  return output === undefined ? succeeded : { outcome: 'succeeded', output };
}
