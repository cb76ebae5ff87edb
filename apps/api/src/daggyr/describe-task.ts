import { isJsonObject, type Json, type JsonObject } from '@runnel/core';
import { fromTaskId, toTaskState } from '@runnel/daggyr';
import { type EndedAttempt, type RunInfo, readAttempts, type TaskSummary } from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { droppedLine } from '../follow-log.ts';
import { toIso } from '../run-answer.ts';
import type { StateChange } from './describe-run.ts';
import type { NumberedRun } from './numbered-run.ts';

/** An attempt as DaggyR tells it; what was not measured is null. */
export interface DaggyrAttempt {
  readonly start_time: string;
  readonly stop_time: string;
  readonly succeeded: boolean;
  readonly killed: boolean;
  /** What it wrote, stdout and stderr as they came. */
  readonly output: string;
  /** Why it failed. */
  readonly error: string;
  readonly executor: readonly string[];
  readonly exit_code: number | null;
  readonly max_cpu: number | null;
  readonly max_rss: number | null;
}

export interface DaggyrTask {
  readonly task: JsonObject;
  readonly attempts: readonly DaggyrAttempt[];
  readonly state_changes: readonly StateChange[];
}

/** Everything about a task; `entry` is its text, where the run came task by task. */
export async function describeTask(
  context: ApiContext,
  info: RunInfo,
  of: {
    readonly summary: TaskSummary;
    readonly entry: JsonObject | null;
    readonly run: NumberedRun;
  },
): Promise<DaggyrTask> {
  const { summary, entry } = of;
  const ended = await readAttempts(context.redis, info, summary);
  const { createdAt } = info.facts;
  const own = ended.flatMap((attempt) => changesOfAttempt(attempt, createdAt));
  return {
    task: describeWork(summary, entry, of.run.number),
    attempts: ended.map((attempt) => describeAttempt(attempt, summary, createdAt)),
    state_changes: [
      { datetime: toIso(createdAt), state: 'Queued' },
      ...own,
      ...lastChange(context, { summary, ended, run: of.run }),
    ],
  };
}

function describeWork(summary: TaskSummary, entry: JsonObject | null, run: number): JsonObject {
  const { group, details } = summary.task;
  const { timeoutMs, retries, resources, executor } = group;
  const edges = entry === null ? {} : { parents: names(entry, 'parents') };
  return {
    run_id: run,
    task_type: executor === 'noop' ? 'Structural' : 'Normal',
    is_generator: entry !== null && entry['generator'] !== undefined,
    max_retries: retries.limit,
    retries: Math.max(0, summary.attempt - 1),
    ...edges,
    ...(entry === null ? {} : { children: names(entry, 'children') }),
    details: {
      ...(isJsonObject(details) ? details : { value: details }),
      ...(timeoutMs === null ? {} : { timeout: timeoutMs / 1000 }),
      ...(Object.keys(resources).length === 0 ? {} : { resources }),
    },
  };
}

/** Those that the task itself named: names of tasks, or classes. */
function names(entry: JsonObject, side: 'parents' | 'children'): readonly Json[] {
  const refs = entry[side];
  if (!Array.isArray(refs)) return [];
  return refs.map((ref: Json) => {
    const id = isJsonObject(ref) ? (ref['id'] ?? ref['class']) : ref;
    return typeof id === 'string' ? fromTaskId(id) : (id ?? null);
  });
}

function describeAttempt(
  { outcome, failure, record, log }: EndedAttempt,
  { task }: TaskSummary,
  createdAt: number,
): DaggyrAttempt {
  const { startMs, durationMs } = failure ?? record ?? { startMs: 0, durationMs: 0 };
  // DaggyR called what ran too long killed, too.
  const isKilled = outcome === 'cancelled' || failure?.reason === 'timeout';
  const exitCode = outcome === 'succeeded' ? record?.exitCode : failure?.exitCode;
  return {
    start_time: toIso(createdAt + startMs),
    stop_time: toIso(createdAt + startMs + durationMs),
    succeeded: outcome === 'succeeded',
    killed: isKilled,
    output: droppedLine(log?.droppedBytes ?? 0) + (log?.tail.toString() ?? ''),
    error: failure?.message ?? '',
    executor: [task.group.executor],
    exit_code: exitCode ?? null,
    max_cpu: null,
    max_rss: null,
  };
}

const stateOfOutcome = { succeeded: 'Completed', failed: 'Errored', cancelled: 'Killed' } as const;

function changesOfAttempt(
  { outcome, failure, record }: EndedAttempt,
  createdAt: number,
): readonly StateChange[] {
  const { startMs, durationMs } = failure ?? record ?? { startMs: 0, durationMs: 0 };
  const start = createdAt + startMs;
  return [
    { datetime: toIso(start), state: 'Running' },
    { datetime: toIso(start + durationMs), state: stateOfOutcome[outcome] },
  ];
}

/** The last change is always to the state that the task is in, also where no attempt tells when. */
function lastChange(
  { clock }: ApiContext,
  of: {
    readonly summary: TaskSummary;
    readonly ended: readonly EndedAttempt[];
    readonly run: NumberedRun;
  },
): readonly StateChange[] {
  const state = toTaskState(of.summary.state);
  const last = of.ended.at(-1);
  const told = last === undefined ? 'Queued' : stateOfOutcome[last.outcome];
  if (state === told) return [];
  return [{ datetime: toIso(of.run.run.endedAt ?? clock.now()), state }];
}
