import { openTaskStates, runStates } from '@runnel/core';
import { z } from 'zod';
import { count, time } from './wire-fields.ts';

const taskName = z.union([z.string().min(1), count]);
const by = z.string().nullable().describe('Who asked for it, as they said (`Runnel-By`).');

/** Which tasks that have not ended a cancel, a pause or a resume is about. */
export const openTaskSelector = z
  .strictObject({
    tasks: z.array(taskName).max(1_000).optional().describe('Only these, by id or number.'),
    classes: z.array(z.string()).max(1_000).optional().describe('Only tasks of these classes.'),
    states: z.array(z.enum(openTaskStates)).optional().describe('Only tasks in these states.'),
    from: z
      .array(taskName)
      .max(1_000)
      .optional()
      .describe('These tasks too, and all that hangs on them. Alone: these and no others.'),
  })
  .meta({ id: 'OpenTaskSelector', description: 'Which tasks: each list that is given narrows.' });
export type OpenTaskSelector = z.infer<typeof openTaskSelector>;

const partCounts = {
  selected: count.describe('Tasks that it is about: those that have not ended.'),
  running: count.describe('How many of them workers have.'),
};

/** The answer to a change of tasks; the counts are those of the moment at which the run was read. */
export const wireChanged = z
  .object({
    id: z.string(),
    url: z.string(),
    state: z.enum(runStates),
    ...partCounts,
    classes: z.array(z.object({ class: z.string(), ...partCounts })),
  })
  .meta({ id: 'Changed', description: 'What a cancel, a pause or a resume of tasks is about.' });
export type WireChanged = z.infer<typeof wireChanged>;

/** Paused classes and tasks that a run's answer has of each at most. */
export const mostPausedListed = 100;

export const wirePausedParts = z
  .object({
    classes: z.array(z.object({ class: z.string(), since: time, by })),
    tasks: z.array(z.object({ number: count, id: z.string(), since: time, by })),
    omitted: count.describe(`Those beyond ${mostPausedListed} of each.`),
  })
  .meta({ id: 'PausedParts', description: 'Classes and tasks of a run that are paused.' });
export type WirePausedParts = z.infer<typeof wirePausedParts>;

/** Who changed a run. */
export const wireWho = {
  submittedBy: by,
  pausedBy: by.describe('Null unless its state is `paused`, or where it was not said.'),
  cancelledBy: by,
};
