import { runStates, taskStates, whyCodes } from '@runnel/core';
import { z } from 'zod';
import { count, time } from './wire-fields.ts';

const namedTask = z
  .object({ number: count, id: z.string(), state: z.enum(taskStates) })
  .meta({ id: 'NamedTask', description: 'A task with its state.' });

export const wireReason = z
  .object({
    code: z.string().describe(
      `Never changes; new ones may come. ${Object.entries(whyCodes)
        .map(([code, means]) => `\`${code}\`: ${means}`)
        .join(' ')}`,
    ),
    detail: z.string(),
    count: count.optional().describe('Tasks that it is about.'),
    tasks: z.array(namedTask).optional().describe('The first 20 of them.'),
    remedy: z.string().optional().describe('What would put it right; absent where it passes.'),
    since: time.optional(),
    until: time.optional().describe('When it passes, where that is known.'),
  })
  .meta({ id: 'Reason', description: 'What something waits for, or why it ended so.' });
export type WireReason = z.infer<typeof wireReason>;

export const wireWhy = z
  .object({
    subject: z.object({
      run: z.string(),
      task: z.object({ number: count, id: z.string() }).optional(),
    }),
    state: z.enum([...runStates, ...taskStates]).describe('Of the task, or else of the run.'),
    summary: z.string().describe('One sentence: the first reason.'),
    reasons: z.array(wireReason).describe('What matters most comes first.'),
  })
  .meta({ id: 'Why', description: 'What a run or a task waits for, or why it ended so.' });
export type WireWhy = z.infer<typeof wireWhy>;
