import { z } from 'zod';

/** Types of the events of a run's feed. */
export const eventTypes = [
  'runnel.run.started',
  'runnel.run.paused',
  'runnel.run.resumed',
  'runnel.run.retried',
  'runnel.run.edited',
  'runnel.run.cancelling',
  'runnel.run.stopping',
  'runnel.run.ended',
  'runnel.run.removed',
  'runnel.run.part-cancelled',
  'runnel.run.part-paused',
  'runnel.run.part-resumed',
  'runnel.task.succeeded',
  'runnel.task.failed',
  'runnel.task.skipped',
  'runnel.task.upstream-failed',
  'runnel.task.cancelled',
  'runnel.task.delayed',
  'runnel.feed.reset',
] as const;
export type EventType = (typeof eventTypes)[number];

export const wireEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('The number of the event: counted from 1 in each run, without gaps.'),
    type: z.string().describe(`One of: ${eventTypes.join(', ')}.`),
    source: z.string().describe('The path of the run.'),
    subject: z.string().optional().describe('The id of the task.'),
    time: z.iso.datetime().describe('ISO 8601, UTC.'),
    datacontenttype: z.literal('application/json'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event', description: 'An event of a run (CloudEvents 1.0).' });
export type WireEvent = z.infer<typeof wireEvent>;
