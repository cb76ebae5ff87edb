import type { OpenRunHandle } from './run-handle.ts';
import type { Argument, RedisClient } from './script.ts';
import {
  haltRun,
  pauseRun,
  reissueDelivery,
  releaseDelayed,
  type TurnAnswer,
  takeTurn as takeTurnScript,
} from './scripts.ts';

/** A queue's share for one run: deliveries in flight at most, and slots to spread ready work over. */
export interface QueueShare {
  readonly window: number;
  readonly slots: number;
}

/** Outcomes to settle, with the due time of each outcome that is to be tried again. */
export interface Settlement {
  readonly carrier: number;
  readonly token: Buffer;
  readonly outcomes: Buffer;
  readonly extras: Buffer;
  /** Doubles, one an outcome; empty where none is to be tried again. */
  readonly dues: Buffer;
}

export interface Turn {
  readonly settlements: readonly Settlement[];
  /** One for each queue of the run that is known, in order. */
  readonly shares: readonly QueueShare[];
  readonly now: number;
  /** Edges to visit at most. */
  readonly edges?: number;
  /** Deliveries of what the turn cuts that the caller gets under its token, by queue. */
  readonly reserve?: { readonly token: Buffer; readonly counts: readonly number[] };
  /** Tells of every carrier that is not in BullMQ yet, whoever cut it. */
  readonly wantsOutbox?: boolean;
}

/**
 * Edges and tasks that one call visits at most: a few ms of Redis. Besides settling 256 tasks, five
 * children of each fit, so that what is left to the listener is the exception.
 */
const edgesAlone = 2_048;
const edgesBesides = 1_536;

const nobody = { token: Buffer.alloc(8), counts: [] };

/** Settles (where there is something to settle), visits children, and cuts. Null: the run was deleted. */
export function takeTurn(
  redis: RedisClient,
  run: OpenRunHandle,
  turn: Turn,
): Promise<TurnAnswer | null> {
  const { settlements, shares, reserve = nobody } = turn;
  return takeTurnScript.run(redis, run.keys, [
    turn.now,
    turn.edges ?? (settlements.length === 0 ? edgesAlone : edgesBesides),
    turn.wantsOutbox === true ? 1 : 0,
    reserve.token,
    shares.length,
    ...shares.flatMap(({ window, slots }, queue) => [window, slots, reserve.counts[queue] ?? 0]),
    ...settlements.flatMap(({ carrier, token, outcomes, extras, dues }): Argument[] => [
      ...[carrier, token, outcomes, extras, dues],
    ]),
  ]);
}

/** Nodes and deliveries that one page of halting looks at: a few ms of Redis. */
const haltNodes = 8_192;
const haltDeliveries = 32;

/** One page of a cancel or a stop; `page` goes on with what was begun. Null: no such run. */
export function haltPage(
  redis: RedisClient,
  run: OpenRunHandle,
  kind: 'cancel' | 'stop' | 'page',
  now: number,
  by: string | null = null,
): Promise<{
  readonly state: string;
  readonly isPaging: boolean;
  readonly began: boolean;
} | null> {
  return haltRun.run(redis, run.keys, [kind, now, haltNodes, haltDeliveries, by ?? '']);
}

/**
 * Pauses a run or lets it go on. The state is `halting` for a run that is being ended early, which is
 * left as it is, as is one that has not started or has ended. Null: no such run.
 */
export function setPaused(
  redis: RedisClient,
  run: OpenRunHandle,
  kind: 'pause' | 'resume',
  now: number,
  by: string | null = null,
): Promise<{ readonly state: string; readonly isChanged: boolean } | null> {
  return pauseRun.run(redis, run.keys, [kind, now, by ?? '']);
}

/** Gives a delivery that BullMQ lost a new carrier; 0 where it was not lost after all. */
export function reissue(
  redis: RedisClient,
  run: OpenRunHandle,
  delivery: { readonly carrier: number; readonly token: Buffer },
  now: number,
): Promise<number> {
  return reissueDelivery.run(redis, run.keys, [delivery.carrier, delivery.token, now]);
}

/** Puts tasks whose delay is over on the ready lists; sent again it only clears the times. */
export function release(
  redis: RedisClient,
  run: OpenRunHandle,
  ids: readonly number[],
): Promise<number> {
  return releaseDelayed.run(redis, run.keys, [run.id, ...ids]);
}
