import { isFinalRunState, runStates } from '@runnel/core';
import type { Told } from '@runnel/engine';
import { type FeedEvent, type RunInfo, readEvents } from '@runnel/store';
import { Alarm } from '../alarm.ts';
import type { ApiContext } from '../context.ts';

/** After news there may be more soon; then it is looked for more and more seldom. */
const firstPollMs = 250;
const slowestPollMs = 2_000;
/** Proxies and clients take a connection on which nothing comes for broken. */
const heartbeatMs = 15_000;
/** Events that are handed on at once: each needs the name of its task. */
const eventsAtOnce = 256;

export interface FollowEvents {
  readonly info: RunInfo;
  /** The number of the last event that is known already. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/**
 * The feed of a run from a number on, to the run's end or until `signal` aborts. Messages only wake it
 * up: what it tells is always read from the store, by number, so a lost or doubled one changes nothing.
 */
export async function* followEvents(
  context: ApiContext,
  { info, after, signal }: FollowEvents,
): AsyncGenerator<Told> {
  const alarm = new Alarm(signal);
  using _subscription = context.channels.listen(info.facts.handle.id, (message) => {
    if (message === 'settled' || message === 'ended') alarm.ring();
  });
  const reader = new FeedReader(context, info, after);
  let pollMs = firstPollMs;
  let saidAt = performance.now();
  while (!signal.aborted) {
    const { told, isOver } = await reader.read();
    yield* told;
    if (isOver) return;
    if (told.length > 0) [pollMs, saidAt] = [firstPollMs, performance.now()];
    else await alarm.wait(pollMs);
    pollMs = Math.min(slowestPollMs, pollMs * 2);
    if (performance.now() - saidAt < heartbeatMs) continue;
    yield { kind: 'heartbeat' };
    saidAt = performance.now();
  }
}

/** Reads a feed step by step. */
class FeedReader {
  readonly #context: ApiContext;
  readonly #info: RunInfo;
  /** The number of the last event that was told. */
  #last: number;

  constructor(context: ApiContext, info: RunInfo, after: number) {
    this.#context = context;
    this.#info = info;
    this.#last = after;
  }

  /** What is new; nothing where that is nothing so far. */
  async read(): Promise<{ readonly told: readonly Told[]; readonly isOver: boolean }> {
    // In this order: what was written before the end is then read.
    const standing = await readStanding(this.#context, this.#info);
    const before = this.#last;
    if (standing.isGone) return { told: [{ kind: 'removed', after: before }], isOver: true };
    // A number that is still to come is of another feed, which was here before.
    const known = before <= standing.last ? before : 0;
    const events = await readEvents(this.#context.redis, this.#info.facts.handle, known);
    const [first] = events;
    if (first === undefined) return { told: [], isOver: standing.hasEnded };
    const isWhole = known === before && first.number === known + 1;
    this.#last = events.at(-1)?.number ?? known;
    return {
      told: [
        ...(isWhole ? [] : [{ kind: 'reset', after: before, next: first.number } as const]),
        ...inParts(events),
      ],
      // A retry goes on behind an end.
      isOver: events.at(-1)?.kind === 'ended' && standing.hasEnded && this.#last >= standing.last,
    };
  }
}

function inParts(events: readonly FeedEvent[]): readonly Told[] {
  return Array.from({ length: Math.ceil(events.length / eventsAtOnce) }, (_, part) => ({
    kind: 'events',
    events: events.slice(part * eventsAtOnce, (part + 1) * eventsAtOnce),
  }));
}

interface Standing {
  /** Deleted, or another run has its id. */
  readonly isGone: boolean;
  readonly hasEnded: boolean;
  readonly last: number;
}

async function readStanding({ redis }: ApiContext, { facts }: RunInfo): Promise<Standing> {
  const [created, raw, events] = await redis.hmget(
    ...([facts.handle.names.meta, 'created', 'state', 'events'] as const),
  );
  const state = runStates.find((known) => known === raw);
  return {
    isGone: Number(created ?? -1) !== facts.createdAt,
    hasEnded: state !== undefined && isFinalRunState(state),
    last: Number(events ?? 0),
  };
}

/** Whether anything is to be told after a number, now or later. */
export async function hasMore(context: ApiContext, info: RunInfo, after: number): Promise<boolean> {
  const { hasEnded, last } = await readStanding(context, info);
  return !hasEnded || after !== last;
}
