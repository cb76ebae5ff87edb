import { z } from 'zod';
import { count, time } from './wire-fields.ts';

// What the API answers about the service itself, not about one run.

export const wireWorker = z
  .object({
    name: z.string(),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    startedAt: time,
    seenAt: time,
    slots: z.record(z.string(), count).describe('Deliveries that it takes at once, by queue.'),
    executors: z.array(z.string()),
    running: count.describe('Deliveries that it works on.'),
    isStopping: z.boolean(),
  })
  .meta({ id: 'Worker', description: 'A worker that gave a sign in the last 10 s.' });
export type WireWorker = z.infer<typeof wireWorker>;

export const wireWorkers = z
  .object({ workers: z.array(wireWorker) })
  .meta({ id: 'Workers', description: 'All workers that are alive.' });
export type WireWorkers = z.infer<typeof wireWorkers>;

export const wireFinding = z
  .object({
    kind: z.string().describe('What is wrong, in a word that never changes.'),
    run: z.string().nullable(),
    task: z.object({ number: count, id: z.string() }).nullable(),
    carrier: count.nullable().describe('The number of a delivery.'),
    queue: z.string().nullable(),
    shard: count.nullable(),
    detail: z.string().describe('What was found, in figures.'),
    means: z.string().describe('What it means for the run.'),
    repair: z.string().nullable().describe('What a repair does; null: nothing that it can do.'),
  })
  .meta({ id: 'Finding', description: 'Something that is wrong with a run or the service.' });
export type WireFinding = z.infer<typeof wireFinding>;

export const wireDoctor = z
  .object({
    checkedAt: time,
    runs: count.describe('Runs that were looked into.'),
    findings: z.array(wireFinding).describe('At most 100 of one kind in one run.'),
    omitted: count.describe('Findings beyond those.'),
    unchecked: z.array(z.string()).describe('What could not be checked, and why.'),
    mended: count.nullable().describe('Repairs that were made; null: none was asked for.'),
    left: count.nullable().describe('Findings after the repairs; null: none was asked for.'),
  })
  .meta({ id: 'Doctor', description: 'What was checked, found and mended.' });
export type WireDoctor = z.infer<typeof wireDoctor>;
