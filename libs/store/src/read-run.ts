import {
  type FinalTaskState,
  finalTaskStates,
  isFinalRunState,
  noSuchRun,
  type RunState,
  runStates,
} from '@runnel/core';
import { readDeliveries } from './deliveries.ts';
import { type Delivery, isClaimed, stateCode } from './packed.ts';
import { hasPausedParts } from './parts.ts';
import { factsOf, type RunFacts } from './run-facts.ts';
import { runHandle } from './run-handle.ts';
import type { RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** Tasks by state; states without tasks are 0. */
export type StateCounts = Readonly<Record<TaskCountState, number>>;
export type TaskCountState =
  | 'waiting'
  | 'ready'
  | 'queued'
  | 'running'
  | 'delayed'
  | FinalTaskState;

/** A run as it stands. */
export interface RunSummary {
  readonly facts: RunFacts;
  readonly state: RunState;
  readonly halt: 'cancel' | 'stop' | null;
  /** Null unless its state is `paused`. */
  readonly pausedAt: number | null;
  /** Who asked for it, as they said: of its submission, the pause that lasts, the cancel. */
  readonly by: string | null;
  readonly pausedBy: string | null;
  readonly cancelledBy: string | null;
  /** Whether classes or tasks of it are paused by themselves. */
  readonly hasPausedParts: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly taskCount: number;
  readonly counts: StateCounts;
  readonly duplicates: number;
  readonly backlog: number;
  readonly outbox: number;
  readonly logsCut: boolean;
  readonly bodyHash: string;
  /** True where it is in the archive, and here at most to be read for a while. */
  readonly isArchived: boolean;
}

const finalStates: ReadonlySet<string> = new Set(runStates.filter(isFinalRunState));

/** Reads a run: a few reads, whatever its size. Throws NotFoundError. */
export async function readRun(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<RunSummary> {
  const [summary] = await readRuns(redis, namespace, [id]);
  if (summary === undefined) {
    throw noSuchRun(id);
  }
  return summary;
}

/** Reads several runs; those that are gone are left out. */
export async function readRuns(
  redis: RedisClient,
  namespace: string,
  ids: readonly string[],
): Promise<readonly RunSummary[]> {
  const read = ids.length === 1 ? readOne : readListed;
  const all = await Promise.all(ids.map((id) => read(redis, namespace, id)));
  return all.filter((summary) => summary !== null);
}

/** Of a run that has ended the record says everything: a list reads a quarter. */
async function readListed(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<RunSummary | null> {
  const meta = await redis.hgetall(runHandle(namespace, id).names.meta);
  if (!finalStates.has(meta['state'] ?? '')) return await readOne(redis, namespace, id);
  return summaryOf(namespace, id, meta, { deliveries: [], backlog: 0, outbox: 0 });
}

async function readOne(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<RunSummary | null> {
  const run = runHandle(namespace, id);
  // All at one moment, so that the counts belong together.
  const [meta, deliveries, backlog, outbox] = await Promise.all([
    redis.hgetall(run.names.meta),
    readDeliveries(redis, run),
    redis.llen(run.names.backlog),
    redis.zcard(run.names.outbox),
  ]);
  return summaryOf(namespace, id, meta, { deliveries, backlog, outbox });
}

/** A run that ended, from its record alone: wherever that is kept. Null where it is none. */
export function summaryOfRecord(
  namespace: string,
  id: string,
  meta: Readonly<Record<string, string>>,
): RunSummary | null {
  const summary = summaryOf(namespace, id, meta, { deliveries: [], backlog: 0, outbox: 0 });
  return summary === null ? null : { ...summary, isArchived: true };
}

function summaryOf(
  namespace: string,
  id: string,
  meta: Readonly<Record<string, string>>,
  {
    deliveries,
    backlog,
    outbox,
  }: {
    readonly deliveries: readonly Delivery[];
    readonly backlog: number;
    readonly outbox: number;
  },
): RunSummary | null {
  const stored = runStates.find((known) => known === meta['state']);
  if (stored === undefined) return null;
  const facts = factsOf(namespace, id, meta);
  const halt = meta['halt'] === 'cancel' || meta['halt'] === 'stop' ? meta['halt'] : null;
  // A flag beside the stored state, so that everything but starting goes on; what halts is not paused.
  const isPaused = stored === 'running' && halt === null && meta['pausedAt'] !== undefined;
  return {
    facts,
    state: isPaused ? 'paused' : stored,
    halt,
    pausedAt: isPaused ? toNumberOrNull(meta['pausedAt']) : null,
    by: meta['by'] || null,
    pausedBy: isPaused ? meta['pausedBy'] || null : null,
    cancelledBy: halt === 'cancel' ? meta['haltedBy'] || null : null,
    hasPausedParts: hasPausedParts(meta),
    startedAt: toNumberOrNull(meta['started']),
    endedAt: toNumberOrNull(meta['ended']),
    taskCount: facts.nodeCount - facts.barrierCount,
    counts: countStates(facts, meta, deliveries),
    duplicates: Number(meta['duplicates'] ?? 0),
    backlog,
    outbox,
    logsCut: meta['logsCut'] === '1',
    bodyHash: meta['bodyHash'] ?? '',
    isArchived: meta['archived'] === '1',
  };
}

function countStates(
  facts: RunFacts,
  meta: Readonly<Record<string, string>>,
  deliveries: readonly Delivery[],
): StateCounts {
  const taskCount = facts.nodeCount - facts.barrierCount;
  const final = Object.fromEntries(
    finalTaskStates.map((state) => [state, Number(meta[`c${stateCode[state]}`] ?? 0)]),
  );
  const queues = facts.handle.queues;
  // Those that are paused lie beside their lists.
  const inLists = queues.reduce((sum, _, queue) => sum + Number(meta[`r${queue}`] ?? 0), 0);
  const ready = inLists + Number(meta['parked'] ?? 0);
  const delayed = Number(meta['delayed'] ?? 0);
  const { queued, running } = countOpen(deliveries);
  const ended = Object.values(final).reduce((sum, count) => sum + count, 0);
  const waiting = Math.max(0, taskCount - ended - ready - delayed - queued - running);
  return asCounts({ waiting, ready, queued, running, delayed, ...final });
}

function countOpen(deliveries: readonly Delivery[]): { queued: number; running: number } {
  let queued = 0;
  let running = 0;
  for (const delivery of deliveries) {
    const open = delivery.open.filter(Boolean).length;
    if (isClaimed(delivery)) running += open;
    else queued += open;
  }
  return { queued, running };
}

/** Fills in the states that were not counted. */
function asCounts(counts: Readonly<Record<string, number>>): StateCounts {
  const of = (state: TaskCountState): number => counts[state] ?? 0;
  return {
    waiting: of('waiting'),
    ready: of('ready'),
    queued: of('queued'),
    running: of('running'),
    delayed: of('delayed'),
    succeeded: of('succeeded'),
    failed: of('failed'),
    skipped: of('skipped'),
    'upstream-failed': of('upstream-failed'),
    cancelled: of('cancelled'),
  };
}

/** One class of a run: its tasks by state; `waiting` includes those that are delayed. */
export interface ClassCounts {
  readonly class: string;
  readonly total: number;
  readonly counts: StateCounts;
  /** Mean duration of its attempts so far, in ms; null before the first. */
  readonly meanMs: number | null;
}

/** Counts of each class, in the order of the spec: one hash and the open deliveries are read. */
export async function readClasses(
  redis: RedisClient,
  info: RunInfo,
): Promise<readonly ClassCounts[]> {
  const run = info.facts.handle;
  const [groups, counts, deliveries, halt] = await Promise.all([
    info.groups(),
    redis.hgetall(run.names.counts),
    readDeliveries(redis, run),
    redis.hget(run.names.meta, 'halt'),
  ]);
  const classes = new Map<string, Tally>();
  groups.forEach((group, number) => {
    // Groups that no task has any more are left of an earlier revision.
    if (group.kind === 'barrier' || group.total === 0) return;
    const tally = classes.get(group.class) ?? new Tally();
    classes.set(group.class, tally);
    tally.total += group.total - Number(counts[`${number}:${stateCode.retired}`] ?? 0);
    tally.measured += Number(counts[`${number}:n`] ?? 0);
    tally.micros += Number(counts[`${number}:us`] ?? 0);
    if (halt === null) tally.add('ready', Number(counts[`${number}:${stateCode.ready}`] ?? 0));
    for (const state of finalTaskStates) {
      tally.add(state, Number(counts[`${number}:${stateCode[state]}`] ?? 0));
    }
  });
  for (const delivery of deliveries) {
    const group = groups[delivery.group];
    const open = delivery.open.filter(Boolean).length;
    classes.get(group?.class ?? '')?.add(isClaimed(delivery) ? 'running' : 'queued', open);
  }
  return [...classes].map(([name, tally]) => tally.toClass(name));
}

class Tally {
  total = 0;
  measured = 0;
  micros = 0;
  readonly #counts: Record<string, number> = {};

  add(state: TaskCountState, by: number): void {
    this.#counts[state] = (this.#counts[state] ?? 0) + by;
  }

  toClass(name: string): ClassCounts {
    const known = Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
    const waiting = Math.max(0, this.total - known);
    return {
      class: name,
      total: this.total,
      counts: asCounts({ ...this.#counts, waiting }),
      meanMs: this.measured === 0 ? null : this.micros / 1000 / this.measured,
    };
  }
}

function toNumberOrNull(raw: string | undefined): number | null {
  return raw === undefined ? null : Number(raw);
}
