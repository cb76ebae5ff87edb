import { setTimeout } from 'node:timers/promises';
import {
  type AttemptResult,
  describeFailure,
  type Executor,
  signalOf,
  startDeadline,
  type TaskInput,
} from '@runnel/core';
import { z } from 'zod';

/** The longest time that a timer of the platform takes: 24.8 days. */
const maxTimerMs = 2_147_483_647;

const sleepDetails = z.strictObject({ ms: z.int().nonnegative().max(maxTimerMs) });

export interface SleepDetails {
  readonly ms: number;
}

/** Waits, then succeeds. All tasks of a delivery wait at the same time. */
export const sleep: Executor<SleepDetails> = {
  name: 'sleep',
  lane: 'waits',
  maxBatch: 256,
  isSideBySide: true,
  details: sleepDetails,
  open: async () => ({
    async execute(batch, end): Promise<void> {
      const startedAt = performance.now();
      await Promise.all(
        batch.tasks.map(async (task, index) => {
          const result = await sleepOnce(task, signalOf(batch, index));
          end(index, result, performance.now() - startedAt);
        }),
      );
    },
    [Symbol.asyncDispose]: async () => undefined,
  }),
};

async function sleepOnce(
  task: TaskInput<SleepDetails>,
  outer: AbortSignal,
): Promise<AttemptResult> {
  const deadline = startDeadline(task.timeoutMs, outer);
  try {
    await setTimeout(task.details.ms, undefined, { signal: deadline.signal });
    return { outcome: 'succeeded' };
  } catch (error: unknown) {
    return describeFailure(error, deadline.signal, task.timeoutMs);
  } finally {
    deadline.clear();
  }
}
