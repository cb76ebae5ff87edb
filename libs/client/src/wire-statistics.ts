import { z } from 'zod';
import { count } from './wire-fields.ts';

const quantile = z.number().nonnegative().nullable();

export const wireClassStatistics = z
  .object({
    class: z.string(),
    tasks: count,
    attempts: count.describe('That have ended, with success or without.'),
    failedAttempts: count,
    failureRate: z.number().min(0).max(1).nullable().describe('Of attempts; null: none has ended.'),
    retriedTasks: count.describe('Tasks that were given more than one attempt.'),
    p50Ms: quantile.describe('Half of the successful attempts took at most so long, within 4.4 %.'),
    p95Ms: quantile,
  })
  .meta({ id: 'ClassStatistics' });
export type WireClassStatistics = z.infer<typeof wireClassStatistics>;

export const wireStatistics = z
  .object({
    runs: count.describe('Runs that were counted.'),
    since: z.iso.datetime().nullable().describe('When the oldest of them was created.'),
    classes: z.array(wireClassStatistics),
  })
  .meta({ id: 'Statistics', description: 'What was measured, by class.' });
export type WireStatistics = z.infer<typeof wireStatistics>;

export const wireEstimate = z
  .object({
    remainingMs: z.number().nonnegative().nullable().describe('Null: nothing was measured so far.'),
    endsAt: z.iso.datetime().nullable(),
    path: z
      .array(
        z.object({
          class: z.string(),
          tasks: count,
          runMs: z.number(),
          slotMs: z.number().describe('Waiting for a slot.'),
          retryMs: z.number().describe('Failed attempts, and the delays after them.'),
        }),
      )
      .describe('What the end waits for from now on: tasks that release one another, by class.'),
    unmeasured: z
      .array(z.string())
      .describe('Classes of which nothing is known, from this run or earlier ones of its name.'),
  })
  .meta({ id: 'Estimate', description: 'How long a run that goes on will take, at a guess.' });
export type WireEstimate = z.infer<typeof wireEstimate>;
