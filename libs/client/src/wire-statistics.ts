import { z } from 'zod';

const count = z.int().nonnegative();
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
  .object({ runs: count, classes: z.array(wireClassStatistics) })
  .meta({ id: 'Statistics', description: 'What was measured, by class.' });
export type WireStatistics = z.infer<typeof wireStatistics>;
