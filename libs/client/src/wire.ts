import { finalTaskStates, reasons, runStates, taskStates } from '@runnel/core';
import { z } from 'zod';
import { wirePausedParts, wireWho } from './wire-changes.ts';
import { count, time } from './wire-fields.ts';
import { wireGenerated } from './wire-generated.ts';

// What the HTTP API answers. The API makes its answers and its OpenAPI document from these schemas, the client reads
// with them; unknown fields are ignored, so a client may be older than the API.

const json = z.unknown();

/** One thing that is wrong with a spec, or worth a look. */
export const wireIssue = z
  .object({
    pointer: z.string().describe('JSON pointer (RFC 6901) into the spec; empty: the whole.'),
    path: z.string().describe('The same as it is written in code: `tasks[3].parents[0]`.'),
    detail: z.string(),
    line: z.int().optional(),
    column: z.int().optional(),
  })
  .meta({ id: 'Issue', description: 'One thing that is wrong with a spec, or worth a look.' });
export type WireIssue = z.infer<typeof wireIssue>;

/** An error as the API tells it (RFC 9457). */
export const problemDocument = z
  .object({
    type: z.string().describe('`urn:runnel:problem:<code in lower case>`.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Never changes; for programs.'),
    instance: z.string().optional().describe('The path that was asked for.'),
    errors: z.array(wireIssue).optional().describe('All that is wrong with a spec, at once.'),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457).' });
export type ProblemDocument = z.infer<typeof problemDocument>;

export const wireStateCounts = z
  .object({
    waiting: count,
    ready: count,
    queued: count,
    running: count,
    delayed: count,
    succeeded: count,
    failed: count,
    skipped: count,
    'upstream-failed': count,
    cancelled: count,
  })
  .meta({ id: 'StateCounts', description: 'Tasks by state; every state is named.' });
export type WireStateCounts = z.infer<typeof wireStateCounts>;

export const wireClass = z
  .object({
    class: z.string(),
    total: count,
    counts: wireStateCounts.describe('`waiting` includes tasks that are delayed.'),
    meanMs: z.number().nullable().describe('Mean duration of its attempts; null before the first.'),
  })
  .meta({ id: 'Class', description: 'The tasks of one class by state.' });
export type WireClass = z.infer<typeof wireClass>;

const runFields = {
  id: z.string(),
  name: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  state: z.enum(runStates),
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  pausedAt: time.nullable().describe('Null unless its state is `paused`.'),
  ...wireWho,
  taskCount: count,
  counts: wireStateCounts,
  priority: z.int(),
  source: z.string().nullable().describe("The spec's folder, where the submitter gave one."),
  isCancelling: z.boolean().describe('Cancelled, but not every task has ended.'),
  isStopping: z.boolean().describe('A task failed and `onFailure` is `stop`.'),
  logsCut: z.boolean().describe("The run's logs reached their limit; later ones were not kept."),
  duplicates: count.describe('Outcomes that were delivered more than once and counted once.'),
  isArchived: z
    .boolean()
    .default(false)
    .describe('In the archive: to read its tasks brings it back for a while.'),
  links: z.object({ self: z.string(), spec: z.string(), tasks: z.string() }),
};

export const wireRunSummary = z
  .object(runFields)
  .meta({ id: 'RunSummary', description: 'A run in a list.' });
export type WireRunSummary = z.infer<typeof wireRunSummary>;

export const wireImported = z
  .object({
    id: z.string(),
    originalId: z.string().describe('The id that the run had; another one where that is taken.'),
    url: z.string(),
  })
  .meta({ id: 'Imported', description: 'The run of a bundle.' });
export type WireImported = z.infer<typeof wireImported>;

/** More classes than this are left out of a run's answer. */
export const mostClasses = 1_000;

export const wireRun = z
  .object({
    ...runFields,
    classes: z
      .array(wireClass)
      .optional()
      .describe('In the order of the spec; see `classesOmitted`.'),
    pausedParts: wirePausedParts.nullable().describe('Null where none is paused by itself.'),
    classesOmitted: z
      .boolean()
      .describe(`True above ${mostClasses} classes, and while the run is being submitted.`),
  })
  .meta({ id: 'Run', description: 'A run as it stands.' });
export type WireRun = z.infer<typeof wireRun>;

const nextCursor = z
  .string()
  .nullable()
  .describe('Give it as `cursor` for the next page; null at the end.');

export const wireRunPage = z
  .object({ runs: z.array(wireRunSummary), next: nextCursor })
  .meta({ id: 'RunPage', description: 'Runs, newest first.' });
export type WireRunPage = z.infer<typeof wireRunPage>;

export const wireTagCount = z.object({ value: z.string(), runs: count });
export type WireTagCount = z.infer<typeof wireTagCount>;

export const wireTagCounts = z
  .object({ tags: z.array(wireTagCount) })
  .meta({ id: 'TagCounts', description: 'Keys or values of tags, in order.' });
export type WireTagCounts = z.infer<typeof wireTagCounts>;

const attemptFields = {
  startedAt: time,
  endedAt: time,
  durationMs: z.number(),
  worker: z.string().nullable(),
  exitCode: z.int().nullable().describe('Null where the executor has none.'),
  signal: z.string().nullable().describe('The signal that ended the process, such as SIGKILL.'),
};

export const wireLastAttempt = z
  .object(attemptFields)
  .meta({ id: 'LastAttempt', description: 'The last attempt that ended.' });

const taskFields = {
  number: count.describe('The task as an integer; accepted wherever its id is.'),
  id: z.string(),
  class: z.string(),
  executor: z.string(),
  pool: z.string(),
  state: z.enum(taskStates),
  attempt: count.describe('Number of the current or last attempt; 0 where none was made.'),
  last: wireLastAttempt.nullable(),
};

export const wireTaskSummary = z
  .object(taskFields)
  .meta({ id: 'TaskSummary', description: 'A task in a list.' });
export type WireTaskSummary = z.infer<typeof wireTaskSummary>;

export const wireTaskPage = z
  .object({ tasks: z.array(wireTaskSummary), next: nextCursor })
  .meta({ id: 'TaskPage', description: 'Tasks in the order of their numbers.' });
export type WireTaskPage = z.infer<typeof wireTaskPage>;

export const wireFailure = z
  .object({
    attempt: count,
    reason: z.string().describe(`One of: ${reasons.join(', ')}.`),
    message: z.string(),
    ...attemptFields,
  })
  .meta({ id: 'Failure', description: 'An attempt that failed.' });
export type WireFailure = z.infer<typeof wireFailure>;

export const wireSuccess = z
  .object({ attempt: count, ...attemptFields })
  .meta({ id: 'Success', description: 'An attempt that succeeded before the task was run again.' });

const neighbour = z
  .object({ number: count, id: z.string() })
  .meta({ id: 'Neighbour', description: 'A direct parent or child.' });

export const wireTask = z
  .object({
    ...taskFields,
    values: z.record(z.string(), json).describe('The values of its parameters.'),
    details: json.describe('As in the spec, before rendering.'),
    output: json.describe('What it hands on to its children; null: nothing.'),
    failures: z.array(wireFailure).describe('Every failed attempt, oldest first.'),
    successes: z
      .array(wireSuccess)
      .describe('Attempts that succeeded before the task was run again, oldest first.'),
    generated: wireGenerated,
    parents: z.array(neighbour).describe('At most 100.'),
    children: z.array(neighbour).describe('At most 100.'),
    links: z.object({ self: z.string(), run: z.string(), log: z.string() }),
  })
  .meta({ id: 'Task', description: 'Everything about one task.' });
export type WireTask = z.infer<typeof wireTask>;

export const wireSubmitted = z
  .object({
    id: z.string(),
    url: z.string(),
    tasks: count,
    warnings: z.array(wireIssue),
  })
  .meta({ id: 'Submitted', description: 'A run that was accepted.' });
export type WireSubmitted = z.infer<typeof wireSubmitted>;

export const wireValidated = z
  .object({
    name: z.string().nullable(),
    tasks: count,
    edges: count.describe('As stored: all-to-all dependencies go through one node.'),
    classes: z.array(z.object({ class: z.string(), tasks: count, edges: count })),
    longestPath: z
      .object({
        tasks: count,
        classes: z.array(z.object({ class: z.string(), tasks: count })),
      })
      .describe('A longest chain of tasks; neighbours of one class are counted together.'),
    widestLayer: z
      .object({ layer: count, tasks: count })
      .describe('The most tasks at the same distance from the roots, which are layer 0.'),
    redisBytes: count.describe('About, when it has ended, without outputs and logs.'),
    warnings: z.array(wireIssue),
  })
  .meta({ id: 'Validated', description: 'What a spec would become.' });
export type WireValidated = z.infer<typeof wireValidated>;

/** The answer to a change of a run that goes on after the answer. */
export const wireAccepted = z
  .object({ id: z.string(), url: z.string(), state: z.enum(runStates) })
  .meta({ id: 'Accepted', description: 'The run and the state it was in after the request.' });
export type WireAccepted = z.infer<typeof wireAccepted>;

const taskName = z.union([z.string().min(1), count]);

/** Which tasks a change of a run is about. */
export const taskSelector = z
  .strictObject({
    tasks: z.array(taskName).max(1_000).optional().describe('Only these, by id or number.'),
    classes: z.array(z.string()).max(1_000).optional().describe('Only tasks of these classes.'),
    states: z
      .array(z.enum(finalTaskStates))
      .optional()
      .describe('Only tasks in these states. Default: failed and cancelled.'),
    from: z
      .array(taskName)
      .max(1_000)
      .optional()
      .describe('These tasks too, whatever their state. Alone: these and no others.'),
  })
  .meta({ id: 'TaskSelector', description: 'Which tasks: each list that is given narrows.' });
export type TaskSelector = z.infer<typeof taskSelector>;

const retryCounts = {
  reset: count.describe('Tasks that are brought back.'),
  leftRunning: count.describe('Tasks after them that had started, or were about to, and are left.'),
};

/** The answer to a retry; the counts are those of the moment at which the run was read. */
export const wireRetried = z
  .object({
    id: z.string(),
    url: z.string(),
    state: z.enum(runStates),
    ...retryCounts,
    classes: z.array(z.object({ class: z.string(), ...retryCounts })),
  })
  .meta({ id: 'Retried', description: 'What a retry brings back.' });
export type WireRetried = z.infer<typeof wireRetried>;

/** Response header of a log: bytes that the attempt wrote before what is kept. */
export const droppedHeader = 'Runnel-Log-Dropped';

/** Request header: who asks for a change. A claim, not an authentication. */
export const byHeader = 'Runnel-By';
