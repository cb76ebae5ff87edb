import type { EventType, WireEvent } from '@runnel/client';
import { type FeedEvent, failureRecord, type RunInfo, type TaskEvent } from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { runPath, toIso } from '../run-answer.ts';
import type { Told } from './follow-events.ts';

/** What a follower is told, as CloudEvents; nothing for a heartbeat. */
export async function toCloudEvents(
  context: ApiContext,
  info: RunInfo,
  told: Told,
): Promise<readonly WireEvent[]> {
  const at = context.clock.now();
  switch (told.kind) {
    case 'events':
      return await toWireEvents(context, info, told.events);
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

async function toWireEvents(
  context: ApiContext,
  info: RunInfo,
  events: readonly FeedEvent[],
): Promise<readonly WireEvent[]> {
  const failures = await readFailures(context, info, events);
  return await Promise.all(
    events.map(async (event): Promise<WireEvent> => {
      const { number, at } = event;
      if (event.kind === 'task') return await toTaskEvent(info, event, failures);
      const type = `runnel.run.${event.kind}` as const;
      return make(info, { id: String(number), type, at, data: dataOf(context, event) });
    }),
  );
}

function dataOf(
  { settings }: ApiContext,
  event: Exclude<FeedEvent, { kind: 'task' }>,
): WireEvent['data'] {
  if ('told' in event) return { ...event.told };
  const { kind, state, at, by } = event;
  switch (kind) {
    case 'ended':
      return { state, keptUntil: toIso(at + settings.keepMs) };
    case 'stopping':
      return { state };
    default:
      return { state, by };
  }
}

type Failures = ReadonlyMap<number, WireEvent['data']>;

async function toTaskEvent(
  info: RunInfo,
  event: TaskEvent,
  failures: Failures,
): Promise<WireEvent> {
  const { number, at, task, state, attempt } = event;
  const planned = await info.task(task);
  const { id, group } = planned;
  const data = { task, id, class: group.class, state, attempt, ...failures.get(number) };
  // What is told of tasks are ends, and delays between attempts.
  const type = `runnel.task.${state}` as EventType;
  return make(info, { id: String(number), type, at, subject: id, data });
}

/** Why attempts failed, by the number of their event. */
async function readFailures(
  { redis }: ApiContext,
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
    readonly type: EventType;
    readonly at: number;
    readonly subject?: string;
    readonly data: WireEvent['data'];
  },
): WireEvent {
  const { id, type, at, subject, data } = event;
  return {
    specversion: '1.0',
    ...{ id, type, source: runPath(facts.handle.id) },
    ...(subject === undefined ? {} : { subject }),
    time: toIso(at),
    datacontenttype: 'application/json',
    data: { run: facts.handle.id, ...data },
  };
}
