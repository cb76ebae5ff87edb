import type { OpenRunHandle } from './run-handle.ts';
import { type Argument, callOf, type RedisClient, runPipeline, type ScriptCall } from './script.ts';
import {
  advanceBacklog,
  cutDeliveries,
  haltRun,
  type RunProgress,
  reissueDelivery,
  releaseDelayed,
  settleOutcomes,
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

/** Edges that one call visits at most: a few ms of Redis. Twice as many are a tenth quicker. */
export const edgesPerTurn = 2_048;

/** Settles (where there is something to settle), visits children, and cuts: one round trip. */
export async function takeTurn(
  redis: RedisClient,
  run: OpenRunHandle,
  turn: {
    readonly settlements: readonly Settlement[];
    readonly shares: readonly QueueShare[];
    readonly now: number;
    readonly edges?: number;
  },
): Promise<{
  readonly accepted: number;
  readonly duplicates: number;
  /** Null: the run was deleted. */
  readonly progress: RunProgress | null;
}> {
  const advance = callOf(advanceBacklog, run.keys, [
    turn.now,
    turn.edges ?? edgesPerTurn,
    ...flatten(turn.shares),
  ]);
  if (turn.settlements.length === 0) {
    const [progress] = await runPipeline<[RunProgress | null]>(redis, [advance]);
    return { accepted: 0, duplicates: 0, progress };
  }
  const settle: ScriptCall<{ readonly accepted: number; readonly duplicates: number }> = callOf(
    settleOutcomes,
    run.keys,
    [
      run.id,
      ...turn.settlements.flatMap((one) => [
        one.carrier,
        one.token,
        one.outcomes,
        one.extras,
        one.dues,
      ]),
    ],
  );
  const [settled, progress] = await runPipeline<
    [{ readonly accepted: number; readonly duplicates: number }, RunProgress | null]
  >(redis, [settle, advance]);
  return { ...settled, progress };
}

/** Cuts within the windows; also tells where the run stands. */
export function cutRun(
  redis: RedisClient,
  run: OpenRunHandle,
  shares: readonly QueueShare[],
  now: number,
): Promise<RunProgress | null> {
  return cutDeliveries.run(redis, run.keys, [now, ...flatten(shares)]);
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
): Promise<{
  readonly state: string;
  readonly isPaging: boolean;
  readonly began: boolean;
} | null> {
  return haltRun.run(redis, run.keys, [kind, now, haltNodes, haltDeliveries]);
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

function flatten(shares: readonly QueueShare[]): readonly Argument[] {
  return shares.flatMap(({ window, slots }) => [window, slots]);
}
