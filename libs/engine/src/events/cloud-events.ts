import type { Clock } from '@runnel/core';
import {
  type FeedEvent,
  failureRecord,
  type RedisClient,
  type RunInfo,
  type RunInfoCache,
  type TaskEvent,
} from '@runnel/store';

/** An event of a run as others are told of it (CloudEvents 1.0). */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The number of the event: counted from 1 in each run, without gaps. */
  readonly id: string;
  readonly type: string;
  /** The path of the run. */
  readonly source: string;
  /** The id of the task. */
  readonly subject?: string | undefined;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Record<string, unknown>;
}

/** What a follower of a feed is told next. */
export type Told =
  | { readonly kind: 'events'; readonly events: readonly FeedEvent[] }
  /** What is between two numbers is not kept any more. */
  | { readonly kind: 'reset'; readonly after: number; readonly next: number }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'removed'; readonly after: number };

/** How long runs that ended are kept: as the settings of the same names. */
export interface Retention {
  readonly keepMs: number;
  readonly archive: string;
  readonly archiveKeepMs: number | null;
}

export interface EventContext {
  readonly redis: RedisClient;
  readonly infos: RunInfoCache;
  readonly settings: Retention;
  readonly clock: Clock;
}

/** What a follower is told, as CloudEvents; nothing for a heartbeat. */
export async function toCloudEvents(
  context: EventContext,
  info: RunInfo,
  told: Told,
): Promise<readonly CloudEvent[]> {
  const at = context.clock.now();
  switch (told.kind) {
    case 'events':
      return await expandEvents(context, await infoFor(context, info, told.events), told.events);
    case 'reset': {
      const data = { lastKnown: told.after, next: told.next };
      return [make(info, { id: `${told.next}-reset`, type: 'runnel.feed.reset', at, data })];
    }
    case 'removed': {
      const id = `${told.after}-removed`;
      return [make(info, { id, type: 'runnel.run.removed', at, data: {} })];
    }
    default:
      return [];
  }
}

/** One that knows the tasks of the events: a run may have grown since its follower came. */
async function infoFor(
  { infos }: EventContext,
  info: RunInfo,
  events: readonly FeedEvent[],
): Promise<RunInfo> {
  const last = Math.max(0, ...events.map((event) => (event.kind === 'task' ? event.task : 0)));
  if (last < info.facts.nodeCount) return info;
  const { id } = info.facts.handle;
  const kept = await infos.read(id);
  if (last < kept.facts.nodeCount) return kept;
  infos.forget(id);
  return await infos.read(id);
}

async function expandEvents(
  context: EventContext,
  info: RunInfo,
  events: readonly FeedEvent[],
): Promise<readonly CloudEvent[]> {
  const failures = await readFailures(context, info, events);
  return await Promise.all(
    events.map(async (event): Promise<CloudEvent> => {
      const { number, at } = event;
      if (event.kind === 'task') return await toTaskEvent(info, event, failures);
      const type = `runnel.run.${event.kind}`;
      return make(info, { id: String(number), type, at, data: dataOf(context, event) });
    }),
  );
}

function dataOf(
  { settings }: EventContext,
  event: Exclude<FeedEvent, { kind: 'task' }>,
): CloudEvent['data'] {
  if ('told' in event) return { ...event.told };
  const { kind, state, at, by } = event;
  switch (kind) {
    case 'ended':
      return { state, keptUntil: keptUntil(settings, at) };
    case 'stopping':
      return { state };
    default:
      return { state, by };
  }
}

/** Null: for ever. By number, a run may go from the archive earlier. */
function keptUntil({ archive, keepMs, archiveKeepMs }: Retention, endedAt: number): string | null {
  if (archive === 'none') return toIso(endedAt + keepMs);
  return archiveKeepMs === null ? null : toIso(endedAt + Math.max(keepMs, archiveKeepMs));
}

type Failures = ReadonlyMap<number, CloudEvent['data']>;

async function toTaskEvent(
  info: RunInfo,
  event: TaskEvent,
  failures: Failures,
): Promise<CloudEvent> {
  const { number, at, task, state, attempt } = event;
  const planned = await info.task(task);
  const { id, group } = planned;
  const data = { task, id, class: group.class, state, attempt, ...failures.get(number) };
  // What is told of tasks are ends, and delays between attempts.
  const type = `runnel.task.${state}`;
  return make(info, { id: String(number), type, at, subject: id, data });
}

/** Why attempts failed, by the number of their event. */
async function readFailures(
  { redis }: EventContext,
  info: RunInfo,
  events: readonly FeedEvent[],
): Promise<Failures> {
  const failed = events.filter(
    (event) => event.kind === 'task' && (event.state === 'failed' || event.state === 'delayed'),
  );
  if (failed.length === 0) return new Map();
  const fields = failed.map((event) =>
    event.kind === 'task' ? `${event.task}.${event.attempt}` : '',
  );
  const records = await redis.hmget(info.facts.handle.names.failures, ...fields);
  return new Map(
    failed.map(({ number }, index) => {
      const raw = records[index];
      if (raw === null || raw === undefined) return [number, {}];
      const { reason, message, exitCode, signal } = failureRecord.parse(JSON.parse(raw));
      return [number, { reason, message, exitCode: exitCode ?? null, signal: signal ?? null }];
    }),
  );
}

function make(
  { facts }: RunInfo,
  event: {
    readonly id: string;
    readonly type: string;
    readonly at: number;
    readonly subject?: string;
    readonly data: CloudEvent['data'];
  },
): CloudEvent {
  const { id, type, at, subject, data } = event;
  return {
    specversion: '1.0',
    ...{ id, type, source: `/api/v1/runs/${encodeURIComponent(facts.handle.id)}` },
    ...(subject === undefined ? {} : { subject }),
    time: toIso(at),
    datacontenttype: 'application/json',
    data: { run: facts.handle.id, ...data },
  };
}

function toIso(time: number): string {
  return new Date(time).toISOString();
}
