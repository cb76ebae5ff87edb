import { setTimeout } from 'node:timers/promises';
import { isFinalTaskState } from '@runnel/core';
import { type RunInfo, readLog, readTask } from '@runnel/store';
import { Alarm } from './alarm.ts';
import type { ApiContext } from './context.ts';

/** After news the end is looked for soon, since nothing tells it; then more and more seldom. */
const firstPollMs = 250;
const slowestPollMs = 2_000;
/** A task ends a moment before the last of its log is stored. */
const lastLinesMs = 500;

export interface Follow {
  readonly info: RunInfo;
  readonly task: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface LogPart {
  readonly bytes: Buffer;
  readonly droppedBytes: number;
}

/**
 * A log as it grows, until the attempt has ended or `signal` aborts; the first part comes at once and
 * may be empty. Messages only wake it up: what it sends is always read from the store, by position, so
 * a lost or doubled message changes nothing.
 */
export async function* followLog(context: ApiContext, follow: Follow): AsyncGenerator<LogPart> {
  const alarm = new Alarm(follow.signal);
  const wanted = `${follow.task}.${follow.attempt}`;
  using _subscription = context.channels.listen(follow.info.facts.handle.id, (message) => {
    if (message === wanted) alarm.ring();
  });
  let position: number | null = null;
  let pollMs = firstPollMs;
  let isOver = false;
  while (!follow.signal.aborted) {
    // In this order: what was written before the end is then read.
    const hasEnded = await hasAttemptEnded(context, follow);
    const part = await readFrom(context, follow, position);
    if (part.bytes.length > 0 || position === null) yield part;
    pollMs = part.end === position ? Math.min(slowestPollMs, pollMs * 2) : firstPollMs;
    position = part.end;
    if (isOver) return;
    isOver = hasEnded;
    if (hasEnded) await pause(lastLinesMs, follow.signal);
    else await alarm.wait(pollMs);
  }
}

async function hasAttemptEnded({ redis }: ApiContext, follow: Follow): Promise<boolean> {
  const { state, attempt } = await readTask(redis, follow.info, follow.task);
  return attempt > follow.attempt || isFinalTaskState(state);
}

/** What was written from a position on, with a line in the place of what was not kept. */
async function readFrom(
  { redis }: ApiContext,
  { info, task, attempt }: Follow,
  position: number | null,
): Promise<LogPart & { readonly end: number }> {
  const log = await readLog(redis, info.facts.handle, task, attempt);
  const from = position ?? 0;
  if (log === null) return { bytes: Buffer.alloc(0), droppedBytes: 0, end: from };
  const { droppedBytes, tail } = log;
  const missed = Math.max(0, droppedBytes - from);
  const news = tail.subarray(Math.max(0, from - droppedBytes));
  const bytes = Buffer.concat([Buffer.from(droppedLine(missed)), news]);
  return { bytes, droppedBytes, end: droppedBytes + tail.length };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Aborted while waiting: the loop sees that by itself.
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}

/** The line that stands for what was not kept; nothing for 0. */
export function droppedLine(bytes: number): string {
  return bytes === 0 ? '' : `[… ${bytes} bytes earlier were not kept]\n`;
}
