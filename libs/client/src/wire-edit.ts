import { runStates } from '@runnel/core';
import { z } from 'zod';
import { wireIssue } from './wire.ts';
import { count, time } from './wire-fields.ts';

const fateCounts = {
  reused: count.describe('Tasks that keep their result.'),
  kept: count.describe('Tasks that have not ended and go on as they are.'),
  rerun: count.describe('Tasks that run again, or are decided anew.'),
  new: count.describe('Tasks that the run did not have.'),
  removed: count.describe('Tasks that it has no more.'),
};

/** What an edit does with tasks, and why tasks run again. */
export const fates = ['reused', 'kept', 'rerun', 'new', 'removed'] as const;
export const rerunReasons = [
  'details',
  'version',
  'values',
  'parents',
  'parent-reran',
  'never-succeeded',
] as const;
export type WireRerunReason = (typeof rerunReasons)[number];

/** The answer to an edit; the counts are those of the moment at which the run was read. */
export const wireEdited = z
  .object({
    id: z.string(),
    url: z.string(),
    state: z.enum(runStates),
    revision: count.describe('Of the spec that the run has now.'),
    ...fateCounts,
    classes: z
      .array(
        z.object({
          class: z.string(),
          ...fateCounts,
          reasons: z
            .partialRecord(z.enum(rerunReasons), count)
            .describe('Why tasks run again, counted.'),
        }),
      )
      .describe('In the order of the spec, then those that it has no more. Empty above 1000.'),
    classesOmitted: z.boolean(),
    warnings: z.array(wireIssue),
    tasks: z
      .array(
        z.object({
          id: z.string(),
          class: z.string(),
          fate: z.enum(fates),
          reason: z.enum(rerunReasons).nullable(),
        }),
      )
      .describe('Only with `list`.'),
    next: z.string().nullable(),
  })
  .meta({ id: 'Edited', description: 'What an edit does, or would do, with each task.' });
export type WireEdited = z.infer<typeof wireEdited>;

export const wireRevisions = z
  .object({
    revisions: z.array(
      z.object({
        revision: count,
        at: time,
        by: z.string().nullable().describe('Who made it; null where that is not known.'),
        edit: z.object(fateCounts).nullable().describe('Null of the first: no edit made it.'),
      }),
    ),
  })
  .meta({ id: 'Revisions', description: 'The revisions of a run, newest first.' });
export type WireRevisions = z.infer<typeof wireRevisions>;
