import { setTimeout as sleep } from 'node:timers/promises';
import { type Delivery, decodeDelivery } from './packed.ts';
import type { OpenRunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { claimDelivery, returnDelivery } from './scripts.ts';

/** Why a claim got nothing; after `cancelled`, `split`, `poison` and `parked` the run needs a settling turn. */
export type Refusal = (typeof refusals)[number];

export type ClaimAnswer =
  | {
      readonly kind: 'claimed';
      readonly delivery: Delivery;
      /** False where no task of the run has handed anything on so far. */
      readonly hasOutputs: boolean;
      /** As RunFacts.shape, at this moment. */
      readonly shape: number;
      /** Tasks of it were cancelled or are paused: something else may start instead. */
      readonly needsTurn: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Claim {
  readonly carrier: number;
  /** BullMQ's count of starts of the job: tells a claim that is new from one that is late. */
  readonly attemptsStarted: number;
  /** Random: 8 bytes. */
  readonly token: Buffer;
  /** Deaths of workers after which a task is poison. */
  readonly maxDeaths: number;
  /** JSON kept as the failure of a poisoned task. */
  readonly poisonRecord: string;
  readonly now: number;
}

/** Claims a delivery; the same token again gets the same answer. */
export async function claim(
  redis: RedisClient,
  run: OpenRunHandle,
  request: Claim,
): Promise<ClaimAnswer> {
  const answer = await claimDelivery.run(redis, run.keys, [
    request.carrier,
    request.attemptsStarted,
    request.token,
    request.maxDeaths,
    request.poisonRecord,
    request.now,
  ]);
  if (typeof answer !== 'string') {
    const delivery = decodeDelivery(request.carrier, answer.packed);
    const { hasOutputs, shape, needsTurn } = answer;
    return { kind: 'claimed', delivery, hasOutputs, shape, needsTurn };
  }
  const refusal = refusals.find((word) => word === answer);
  if (refusal === undefined) throw new Error(`a claim was answered with ${answer}`);
  return { kind: 'refused', refusal };
}

const refusals = [
  ...(['gone', 'late', 'cancelled', 'split', 'poison', 'parked', 'paused', 'editing'] as const),
] as const;

/** How long is waited before a run that is being edited is asked again. */
export const editPollMs = 100;
/** Far longer than an edit may take: its editor is taken for gone after 10 s without a sign. */
const mostEditPolls = 600;

/**
 * Hands back open tasks of a claimed delivery, all or those at some places; returns how many. Of a run that is
 * being edited once that is over.
 */
export async function handBack(
  redis: RedisClient,
  run: OpenRunHandle,
  request: Pick<Delivery, 'carrier' | 'token'> & {
    readonly now: number;
    readonly places?: readonly number[];
  },
): Promise<number> {
  const { carrier, token, now, places = [] } = request;
  const args = [carrier, token, now, ...places];
  for (let poll = 0; poll < mostEditPolls; poll++) {
    const count = await returnDelivery.run(redis, run.keys, args);
    if (count >= 0) return count;
    await sleep(editPollMs);
  }
  return 0;
}

/** Every open delivery of a run: a bounded window of its ready work. */
export async function readDeliveries(
  redis: RedisClient,
  run: Pick<OpenRunHandle, 'names'>,
): Promise<readonly Delivery[]> {
  const raw = await redis.hgetallBuffer(run.names.deliveries);
  return Object.entries(raw).map(([carrier, bytes]) => decodeDelivery(Number(carrier), bytes));
}
