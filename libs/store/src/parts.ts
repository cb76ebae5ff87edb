import { z } from 'zod';
import { bytesOf, stateCode } from './packed.ts';
import type { OpenRunHandle, RunHandle } from './run-handle.ts';
import type { Argument, RedisClient } from './script.ts';
import { beginCancel, pageCancel, pauseParts } from './scripts.ts';

/**
 * Tasks of a run that goes on can be cancelled, and tasks and classes of it paused.
 *
 * A cancel: who asks computes which; `begin-cancel` keeps them; pages go through them, and whoever gives
 * the run its turns goes on with them after a crash:
 *
 * 1. what waits ends as cancelled. What may be in a ready list or a delivery is marked (CANCELLING).
 * 2. deliveries: marked tasks of unclaimed ones end; those of claimed ones are HALTING, and their outcome
 *    decides, or their loss: no claim gets them again.
 * 3. ready lists: marked tasks leave them and end.
 *
 * `ending` in the record counts the tasks that are marked either way. While it is above 0, who claims,
 * returns or settles a delivery looks at the state bytes of its tasks.
 *
 * A pause is kept as it was asked for. What is cut is checked against it, and what is paused goes aside
 * (`parked`); a claim gives it back. So nothing is gone through but what would have started.
 */
export interface CancelRequest {
  readonly token: string;
  readonly createdAt: number;
  readonly now: number;
  readonly ids: Uint32Array;
  /** What the feed tells of it. */
  readonly told: string;
  readonly record: CancelRecord;
}

/** A cancel of tasks, as it is kept. */
const cancelRecord = z.object({
  at: z.number(),
  by: z.string().nullable(),
  /** First and last number of tasks in a row; null: too many to be kept. */
  spans: z.array(z.tuple([z.number(), z.number()])).nullable(),
});
export type CancelRecord = z.infer<typeof cancelRecord>;

/** Cancels that are kept of one run: enough to say who cancelled a task. */
const mostCancels = 100;

/**
 * Begins to cancel tasks. The same token again gets the same answer. `retrying`, `changing`: another change
 * is under way; `halting`: the run is being ended early; else its state; null: it is gone.
 */
export function startCancel(
  redis: RedisClient,
  run: OpenRunHandle,
  request: CancelRequest,
): Promise<string | null> {
  const { token, createdAt, now, ids, told, record } = request;
  const args = [token, createdAt, now, bytesOf(ids), told, JSON.stringify(record), mostCancels];
  return beginCancel.run(redis, run.keys, args);
}

/** What one page goes through: a few ms of Redis. */
const tasksPerPage = 2_048;
const entriesPerPage = 16;
const edgesPerPage = 2_048;

export interface CancelPage {
  readonly state: string;
  /** 0: nothing is left to do. */
  readonly phase: number;
  /** From this call on workers can see which of their tasks are to end. */
  readonly isVisible: boolean;
}

/** One page of a cancel of tasks. Null: no such run. */
export function cancelPage(
  redis: RedisClient,
  run: OpenRunHandle,
  now: number,
  size: { readonly tasks: number; readonly entries: number; readonly edges: number } = {
    tasks: tasksPerPage,
    entries: entriesPerPage,
    edges: edgesPerPage,
  },
): Promise<CancelPage | null> {
  return pageCancel.run(redis, run.keys, [now, size.tasks, size.entries, size.edges]);
}

/** Cancels of tasks of a run, newest first. */
export async function readCancels(
  redis: RedisClient,
  run: RunHandle,
): Promise<readonly CancelRecord[]> {
  const raw = await redis.lrange(run.names.cancels, 0, -1);
  return raw.map((json) => cancelRecord.parse(JSON.parse(json)));
}

/** Which of some tasks of a run are being cancelled by themselves. */
export async function findCancelling(
  redis: RedisClient,
  run: RunHandle,
  ids: readonly number[],
): Promise<readonly number[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.getrangeBuffer(run.names.state, id, id);
  const replies = (await pipeline.exec()) ?? [];
  return ids.filter((_, index) => {
    const [error, raw] = replies[index] ?? [null, null];
    if (error !== null) throw error;
    const code = Buffer.isBuffer(raw) ? raw[0] : undefined;
    return code === stateCode.halting || code === stateCode.cancelling;
  });
}

/** Groups and single tasks of a run that are paused at once at most: the record of it stays small. */
export const mostPaused = 2_000;

export interface PauseRequest {
  readonly kind: 'pause' | 'resume';
  readonly createdAt: number;
  readonly now: number;
  readonly by: string | null;
  /** What the feed tells of it. */
  readonly told: string;
  readonly groups: readonly number[];
  readonly tasks: readonly number[];
}

/**
 * Pauses groups and tasks, or lets them go on. The state is `halting` for a run that is being ended early,
 * `full` where more would be paused than may be; `changed` counts what was not so before. Null: no such run.
 */
export function changePaused(
  redis: RedisClient,
  run: OpenRunHandle,
  request: PauseRequest,
): Promise<{ readonly state: string; readonly changed: number } | null> {
  const { kind, createdAt, now, by, told, groups, tasks } = request;
  const args: Argument[] = [kind, createdAt, now, mostPaused, told, `${now} ${by ?? ''}`];
  for (const group of groups) args.push(`g${group}`);
  for (const task of tasks) args.push(`t${task}`);
  return pauseParts.run(redis, run.keys, args);
}

/** A pause of a group or a task. */
export interface Paused {
  readonly number: number;
  readonly since: number;
  readonly by: string | null;
}

export interface PausedParts {
  readonly groups: readonly Paused[];
  readonly tasks: readonly Paused[];
}

/** What is paused of a run beside the run itself. */
export async function readPaused(redis: RedisClient, run: RunHandle): Promise<PausedParts> {
  const fields = Object.entries(await redis.hgetall(run.names.paused));
  const of = (kind: 'g' | 't'): Paused[] =>
    fields
      .filter(([field]) => field.startsWith(kind))
      .map(([field, value]) => toPaused(Number(field.slice(1)), value))
      .sort((a, b) => a.number - b.number);
  return { groups: of('g'), tasks: of('t') };
}

/** Whether a record tells of such a pause; ordinary runs are read no further. */
export function hasPausedParts(meta: Readonly<Record<string, string>>): boolean {
  return Number(meta['pausedGroups'] ?? 0) + Number(meta['pausedTasks'] ?? 0) > 0;
}

function toPaused(number: number, value: string): Paused {
  const space = value.indexOf(' ');
  const by = value.slice(space + 1);
  return { number, since: Number(value.slice(0, space)), by: by === '' ? null : by };
}
