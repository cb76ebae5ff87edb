import { z } from 'zod';
import { count } from './wire-fields.ts';

/** What a generator's last success has brought into its run. */
export const wireGenerated = z
  .object({
    from: count.describe('The number of the first generated task.'),
    reused: count.describe(
      'So many of them have kept the result of the set that this one replaced.',
    ),
    count: count.describe('How many there are; barriers may stand between them.'),
  })
  .nullable()
  .describe('Of a generator that has succeeded: the tasks that it generated. Else null.')
  .meta({ id: 'Generated' });
