import { hookWords } from '@runnel/core';
import { z } from 'zod';
import { time } from './wire-fields.ts';

const eventNumber = z.int().nonnegative();

/** Messages of a webhook that were given up. */
export const wireFailedWebhook = z
  .object({
    id: z.string().describe('For `…/webhooks/failed/{failed}/retry`.'),
    run: z.string(),
    webhook: z.int().describe('Which of the webhooks of the run, from 0.'),
    url: z.string(),
    after: eventNumber.describe('The last event that was delivered before.'),
    until: eventNumber
      .nullable()
      .describe('The last event that is missing; null: all that came, the receiver answered 410.'),
    tries: z.int().describe('Of the first message.'),
    since: time.describe('When the first message was made.'),
    givenUpAt: time,
    error: z.string().describe('Why the last try failed.'),
  })
  .meta({ id: 'FailedWebhook', description: 'Events that a receiver did not get.' });
export type WireFailedWebhook = z.infer<typeof wireFailedWebhook>;

export const wireFailedWebhooks = z
  .object({
    failed: z.array(wireFailedWebhook),
    next: z.string().nullable().describe('The cursor of the next page; null at the end.'),
  })
  .meta({ id: 'FailedWebhooks', description: 'What webhooks have given up, newest first.' });
export type WireFailedWebhooks = z.infer<typeof wireFailedWebhooks>;

/** How far a webhook of a run has got. */
export const wireRunWebhook = z
  .object({
    webhook: z.int().describe('Its number, from 0; also of what is sent again.'),
    url: z.string(),
    on: z.array(z.enum(hookWords)),
    classes: z.array(z.string()).nullable(),
    secret: z.string().nullable().describe('The name of its secret; null: not signed.'),
    after: eventNumber.describe('The last event that was delivered, or is of no interest.'),
    until: eventNumber.nullable().describe('Of what is sent again: where that ends.'),
    isClosed: z.boolean().describe('The receiver answered 410: it gets nothing more.'),
    tries: z.int().describe('Tries of the present message that failed.'),
    nextTryAt: time.nullable(),
    error: z.string().nullable().describe('Why the last try failed.'),
  })
  .meta({ id: 'RunWebhook', description: 'How far a webhook of a run has got.' });
export type WireRunWebhook = z.infer<typeof wireRunWebhook>;

export const wireRunWebhooks = z
  .object({
    lastEvent: eventNumber.describe('The last event of the run so far.'),
    webhooks: z.array(wireRunWebhook),
  })
  .meta({ id: 'RunWebhooks', description: 'The webhooks of a run.' });
export type WireRunWebhooks = z.infer<typeof wireRunWebhooks>;
