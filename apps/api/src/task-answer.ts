import { constants } from 'node:os';
import type { WireFailure, WireTask, WireTaskSummary } from '@runnel/client';
import type { Json, TaskState } from '@runnel/core';
import {
  type AttemptRecord,
  type RunInfo,
  readGeneratedBy,
  readTask,
  readWorkerNames,
  type TaskDetail,
  type TaskSummary,
} from '@runnel/store';
import type { ApiContext } from './context.ts';
import { runPath, toIso } from './run-answer.ts';

type Neighbours = WireTask['parents'];

/** Direct parents, and children, that are listed of one task at most. */
const mostNeighbours = 100;

export async function toWireTasks(
  context: ApiContext,
  info: RunInfo,
  tasks: readonly TaskSummary[],
): Promise<WireTaskSummary[]> {
  const numbers = tasks.flatMap(({ last }) => (last === null ? [] : [last.worker]));
  const workers = await readWorkerNames(context.redis, context.settings.namespace, numbers);
  return tasks.map((task) => toSummary(task, info.facts.createdAt, workers));
}

export async function toWireTask(
  context: ApiContext,
  info: RunInfo,
  request: { readonly number: number; readonly base: string },
): Promise<WireTask> {
  const { number, base } = request;
  const detail = await readTask(context.redis, info, number);
  const [[summary], parents, children] = await Promise.all([
    toWireTasks(context, info, [detail]),
    toNeighbours(context, info, detail, 'parents'),
    toNeighbours(context, info, detail, 'children'),
  ]);
  if (summary === undefined) throw new Error(`task ${number} could not be read`);
  const { task } = detail;
  const values = task.group.axes.map((axis, index): [string, Json] => [
    axis,
    task.values[index] ?? null,
  ]);
  const run = `${base}${runPath(info.facts.handle.id)}`;
  const self = `${run}/tasks/${number}`;
  return {
    ...summary,
    last: refineLast(summary.last, detail),
    values: Object.fromEntries(values),
    details: task.details,
    output: detail.output,
    failures: detail.failures.map((failure) => toFailure(failure, info.facts.createdAt)),
    successes: await toSuccesses(context, info, detail),
    generated: await readGeneratedSet(context, info, detail),
    parents,
    children,
    links: { self, run, log: `${self}/log` },
  };
}

async function readGeneratedSet(
  { redis }: ApiContext,
  info: RunInfo,
  { task }: TaskDetail,
): Promise<WireTask['generated']> {
  if (task.group.generator === undefined) return null;
  const set = await readGeneratedBy(redis, info.facts.handle, task.number);
  return set === null ? null : { from: set.first, count: set.count, reused: set.reused };
}

function toSummary(
  summary: TaskSummary,
  createdAt: number,
  workers: ReadonlyMap<number, string>,
): WireTaskSummary {
  const { task, state, attempt, last } = summary;
  return {
    number: task.number,
    id: task.id,
    class: task.group.class,
    executor: task.group.executor,
    pool: task.group.pool,
    state,
    attempt,
    last: last === null ? null : toLast(last, { state, createdAt, workers }),
  };
}

function toLast(
  last: AttemptRecord,
  of: {
    readonly state: TaskState;
    readonly createdAt: number;
    readonly workers: ReadonlyMap<number, string>;
  },
): NonNullable<WireTaskSummary['last']> {
  return {
    ...times(of.createdAt, last),
    worker: of.workers.get(last.worker) ?? null,
    // The packed record has 0 both for a success and for no code at all.
    exitCode: last.exitCode === 0 && of.state !== 'succeeded' ? null : last.exitCode,
    signal: signalName(last.signal),
  };
}

/** Of a failed last attempt more is kept than the packed record says. */
function refineLast(last: WireTask['last'], detail: TaskDetail): WireTask['last'] {
  const failure = detail.failures.at(-1);
  if (last === null || failure === undefined || detail.state === 'succeeded') return last;
  return {
    ...last,
    exitCode: failure.exitCode ?? null,
    signal: failure.signal ?? null,
    worker: failure.worker ?? last.worker,
  };
}

function toFailure(failure: TaskDetail['failures'][number], createdAt: number): WireFailure {
  return {
    attempt: failure.attempt,
    reason: failure.reason,
    message: failure.message,
    ...times(createdAt, failure),
    worker: failure.worker,
    exitCode: failure.exitCode ?? null,
    signal: failure.signal ?? null,
  };
}

async function toSuccesses(
  context: ApiContext,
  info: RunInfo,
  { successes }: TaskDetail,
): Promise<WireTask['successes']> {
  const numbers = successes.map(({ worker }) => worker);
  const workers = await readWorkerNames(context.redis, context.settings.namespace, numbers);
  const of = { state: 'succeeded', createdAt: info.facts.createdAt, workers } as const;
  return successes.map((success) => ({ attempt: success.attempt, ...toLast(success, of) }));
}

/** Attempts are stored relative to the creation of their run. */
function times(
  createdAt: number,
  attempt: { readonly startMs: number; readonly durationMs: number },
): { startedAt: string; endedAt: string; durationMs: number } {
  const start = createdAt + attempt.startMs;
  return {
    startedAt: toIso(start),
    endedAt: toIso(start + attempt.durationMs),
    durationMs: Math.round(attempt.durationMs * 1000) / 1000,
  };
}

function signalName(number: number): string | null {
  const known = Object.entries(constants.signals).find(([, code]) => code === number);
  return known?.[0] ?? null;
}

/** A barrier is structure: the tasks on its other side stand in its place. */
async function toNeighbours(
  context: ApiContext,
  info: RunInfo,
  detail: TaskDetail,
  side: 'parents' | 'children',
): Promise<Neighbours> {
  const found: Neighbours = [];
  const left = [...detail[side]];
  for (let number = left.shift(); number !== undefined; number = left.shift()) {
    if (found.length === mostNeighbours) break;
    const task = await info.task(number);
    if (task.group.kind !== 'barrier') found.push({ number, id: task.id });
    else left.push(...(await readTask(context.redis, info, number))[side]);
  }
  return found;
}
