import type { TaskState } from '@runnel/core';
import { z } from 'zod';
import { finalStateOf } from './packed.ts';
import type { RunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** A task that ended, or that is tried again later. */
export interface TaskEvent {
  readonly kind: 'task';
  /** Counted from 1 in each run, without gaps. */
  readonly number: number;
  readonly at: number;
  readonly task: number;
  readonly state: TaskState;
  /** 0 where it ended without one. */
  readonly attempt: number;
}

/** Something that befell the whole run. */
export interface RunEvent {
  readonly kind:
    | 'started'
    | 'paused'
    | 'resumed'
    | 'retried'
    | 'edited'
    | 'cancelling'
    | 'stopping'
    | 'ended';
  readonly number: number;
  readonly at: number;
  /** Of one that ended. */
  readonly state: string;
  /** Who asked for it, as they said. */
  readonly by: string | null;
}

/** Something that befell some classes or tasks. */
export interface PartEvent {
  readonly kind: 'part-cancelled' | 'part-paused' | 'part-resumed';
  readonly number: number;
  readonly at: number;
  /** What was kept of it. */
  readonly told: z.infer<typeof partTold>;
}

const partTold = z.object({
  by: z.string().nullable(),
  /** The first of them. */
  classes: z.array(z.string()),
  /** Tasks that had not ended. */
  selected: z.number(),
  running: z.number(),
});

/** What the feed keeps of a change of classes or tasks. */
export function encodeTold(told: PartEvent['told']): string {
  return JSON.stringify(told);
}

export type FeedEvent = TaskEvent | RunEvent | PartEvent;

/** An entry has the ends of one call: about 2,000 tasks at most. */
const entriesPerRead = 32;

/**
 * Events of a run after a number, in order: those of some entries of its feed, none at its end. Where
 * the first one does not follow on that number, what was between is not kept any more.
 */
export async function readEvents(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
  after: number,
): Promise<readonly FeedEvent[]> {
  const { events } = run.names;
  const page = await redis.xrangeBuffer(events, `(0-${after}`, '+', 'COUNT', entriesPerRead);
  return page.flatMap(([id, fields]) => decodeEntry(id, fields)).filter((e) => e.number > after);
}

/** Some entries of a feed. */
export interface FeedPage {
  /** The numbers of its first and last event, whether they are told or not. */
  readonly first: number;
  readonly last: number;
  readonly events: readonly FeedEvent[];
}

/** At most about 8,000 tasks at once: whoever reads in passing must not hold up others. */
const entriesPerPage = 4;

/**
 * Events after a number as `readEvents` gives them, some fewer at once; without those of tasks where
 * nobody wants them. Null at the end of the feed.
 */
export async function readFeedPage(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
  after: number,
  { wantsTasks }: { readonly wantsTasks: boolean },
): Promise<FeedPage | null> {
  const { events } = run.names;
  const raw = await redis.xrangeBuffer(events, `(0-${after}`, '+', 'COUNT', entriesPerPage);
  const entries = raw.map(([id, fields]) => ({ id, fields, ...spanOf(id, fields) }));
  const first = entries[0]?.first;
  if (first === undefined) return null;
  // An entry that could not be written is told as a gap: the next page begins behind it.
  const gap = entries.findIndex(
    (entry, at) => at > 0 && entry.first !== numberAfter(entries[at - 1]),
  );
  const whole = gap < 0 ? entries : entries.slice(0, gap);
  const wanted = whole.filter(({ fields }) => wantsTasks || !isOfTasks(fields));
  const decoded = wanted.flatMap(({ id, fields }) => decodeEntry(id, fields));
  return {
    first: Math.max(first, after + 1),
    last: numberAfter(whole.at(-1)) - 1,
    events: decoded.filter(({ number }) => number > after),
  };
}

function spanOf(
  id: Buffer,
  fields: readonly Buffer[],
): { readonly first: number; readonly last: number } {
  const last = numberOf(id);
  const count = isOfTasks(fields) ? Math.floor((fields[5]?.length ?? 0) / bytesOfTask) : 1;
  return { first: last - count + 1, last };
}

function numberAfter(span: { readonly last: number } | undefined): number {
  return (span?.last ?? 0) + 1;
}

function numberOf(id: Buffer): number {
  return Number(id.toString().split('-')[1]);
}

function isOfTasks(fields: readonly Buffer[]): boolean {
  return fields[1]?.toString() === 'tasks';
}

/** The number of the last event; 0 where there was none. */
export async function readLastEvent(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<number> {
  return Number((await redis.hget(run.names.meta, 'events')) ?? 0);
}

/** When the last event happened; null where there was none. */
export async function readLastEventTime(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<number | null> {
  const [entry] = await redis.xrevrange(run.names.events, '+', '-', 'COUNT', 1);
  const time = entry?.[1][3];
  return time === undefined ? null : Number(time);
}

/** Events after which the run is running. */
const goingOnKinds = ['started', 'resumed', 'retried', 'edited'] as const;

function decodeEntry(id: Buffer, fields: readonly Buffer[]): readonly FeedEvent[] {
  const last = numberOf(id);
  const [, kind = '', , at = '', , payload = Buffer.alloc(0)] = fields;
  const time = Number(at.toString());
  const own = { number: last, at: time };
  const text = kind.toString() === 'tasks' ? '' : payload.toString();
  const goingOn = goingOnKinds.find((known) => known === kind.toString());
  if (goingOn !== undefined) return [{ kind: goingOn, ...own, state: 'running', by: text || null }];
  const part = partKinds.find((known) => known === kind.toString());
  if (part !== undefined) return [{ kind: part, ...own, told: partTold.parse(JSON.parse(text)) }];
  switch (kind.toString()) {
    case 'tasks':
      return decodeTasks(payload, last, time);
    case 'paused':
      return [{ kind: 'paused', ...own, state: 'paused', by: text || null }];
    case 'halting': {
      const [halt, ...by] = text.split(' ');
      const known = halt === 'stop' ? 'stopping' : 'cancelling';
      return [{ kind: known, ...own, state: 'running', by: by.join(' ') || null }];
    }
    case 'ended':
      return [{ kind: 'ended', ...own, state: text, by: null }];
    default:
      // Of a newer version.
      return [];
  }
}

const partKinds = ['part-cancelled', 'part-paused', 'part-resumed'] as const;

/** Ids u32, state codes u8, attempts u8. */
const bytesOfTask = 6;

function decodeTasks(payload: Buffer, last: number, at: number): readonly TaskEvent[] {
  const count = Math.floor(payload.length / bytesOfTask);
  return Array.from({ length: count }, (_, index): TaskEvent => {
    const code = payload.readUInt8(count * 4 + index);
    return {
      kind: 'task',
      number: last - count + 1 + index,
      at,
      task: payload.readUInt32LE(index * 4),
      state: finalStateOf(code) ?? 'delayed',
      attempt: payload.readUInt8(count * 5 + index),
    };
  });
}
