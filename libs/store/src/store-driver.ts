import { randomBytes } from 'node:crypto';
import type { FinalTaskState, Plan } from '@runnel/core';
import { encodeSpec } from './chunks.ts';
import { claim, readDeliveries } from './deliveries.ts';
import { type Delivery, encodeOutcome, outcomeBytes, stateCode } from './packed.ts';
import { readRun } from './read-run.ts';
import { readStates } from './read-tasks.ts';
import { readRunFacts } from './run-facts.ts';
import { type OpenRunHandle, runHandle } from './run-handle.ts';
import { RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';
import type { TurnAnswer } from './scripts.ts';
import { storeRun } from './store-run.ts';
import { release, type Settlement, takeTurn } from './turns.ts';

/** Plays api, worker and listener on a real Redis, one step at a time: for tests of the store. */
export class StoreDriver {
  readonly redis: RedisClient;
  readonly namespace: string;
  /** With the queues that were known when it was last read. */
  run: OpenRunHandle;
  /** Started ids in order, as often as they started. */
  readonly started: number[] = [];
  /** Ids whose final outcome was reported before the entry's index in `started`. */
  readonly log: { readonly kind: 'start' | 'end'; readonly id: number }[] = [];

  private constructor(redis: RedisClient, namespace: string, run: OpenRunHandle) {
    this.redis = redis;
    this.namespace = namespace;
    this.run = run;
  }

  static async submit(
    redis: RedisClient,
    namespace: string,
    plan: Plan,
    /**
     * `meanUs`: as if one attempt of each group had taken so long; 0: never measured. `expectedMs`: what is
     * guessed then. `expiresAt`: the run is only created.
     */
    options: {
      readonly maxBatch?: number;
      readonly meanUs?: number;
      readonly expectedMs?: number;
      readonly expiresAt?: number;
    } = {},
  ): Promise<StoreDriver> {
    const run = runHandle(namespace, randomBytes(8).toString('hex'));
    const answer = await storeRun(redis, {
      run,
      plan,
      spec: encodeSpec({}),
      source: null,
      bodyHash: 'h',
      priority: 0,
      now: 1,
      route: (group) => ({
        queue: group.pool,
        maxBatch: options.maxBatch ?? 256,
        isSideBySide: false,
        expectedMs: options.expectedMs,
      }),
      ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    });
    if (answer.kind !== 'stored') throw new Error('the id was taken');
    const meanUs = options.meanUs ?? 5;
    for (const group of meanUs === 0 ? [] : plan.groups.keys()) {
      await redis.hset(answer.run.names.counts, `${group}:n`, 1, `${group}:us`, meanUs);
    }
    return new StoreDriver(redis, namespace, answer.run);
  }

  /** Reads the run's queues again: an edit may have given it more. */
  async refresh(): Promise<void> {
    this.run = (await readRunFacts(this.redis, this.namespace, this.run.id)).handle;
  }

  shares(window: number, slots = 1): { window: number; slots: number }[] {
    return this.run.queues.map(() => ({ window, slots }));
  }

  /** One turn without outcomes. */
  async turn(window = 4, edges = 64, reserved = 0): Promise<TurnAnswer> {
    return await this.settle([], window, edges, reserved);
  }

  async settle(
    settlements: readonly Settlement[],
    window = 4,
    edges = 64,
    reserved = 0,
  ): Promise<TurnAnswer> {
    const answer = await takeTurn(this.redis, this.run, {
      settlements,
      shares: this.shares(window),
      now: 1,
      edges,
      reserve: { token: randomBytes(8), counts: this.run.queues.map(() => reserved) },
      wantsOutbox: true,
    });
    if (answer === null) throw new Error('the run is gone');
    return answer;
  }

  /** Claims as a BullMQ job that starts for the `starts`th time. */
  async claim(carrier: number, starts = 1, token = randomBytes(8)): ReturnType<typeof claim> {
    return await claim(this.redis, this.run, {
      carrier,
      attemptsStarted: starts,
      token,
      maxDeaths: 3,
      poisonRecord: '{}',
      now: 1,
    });
  }

  async claimed(carrier: number, starts = 1): Promise<Delivery> {
    const answer = await this.claim(carrier, starts);
    if (answer.kind === 'refused') throw new Error(`refused: ${answer.refusal}`);
    return answer.delivery;
  }

  async clearOutbox(carriers: readonly number[]): Promise<void> {
    if (carriers.length > 0) await this.redis.zrem(this.run.names.outbox, ...carriers);
  }

  release(ids: readonly number[]): Promise<number> {
    return release(this.redis, this.run, ids);
  }

  deliveries(): Promise<readonly Delivery[]> {
    return readDeliveries(this.redis, this.run);
  }

  summary(): ReturnType<typeof readRun> {
    return readRun(this.redis, this.namespace, this.run.id);
  }

  /** The state of each node; throws for one that is not final. */
  async finalStates(): Promise<readonly FinalTaskState[]> {
    const info = new RunInfo(
      this.redis,
      await readRunFacts(this.redis, this.namespace, this.run.id),
    );
    const reader = await readStates(this.redis, info, 0, info.facts.nodeCount);
    return Array.from({ length: info.facts.nodeCount }, (_, id) => {
      const state = reader.stateOf(id);
      if (isFinal(state)) return state;
      throw new Error(`node ${id} is ${state}`);
    });
  }
}

function isFinal(state: string): state is FinalTaskState {
  return ['succeeded', 'failed', 'skipped', 'upstream-failed', 'cancelled'].includes(state);
}

/** How one place of a delivery ended. */
export interface PlaceEnd {
  readonly place: number;
  readonly code: number;
  /** Given where the task is to be tried again. */
  readonly due?: number;
}

/** What a worker and a listener would make of these ends. */
export function settlementOf(delivery: Delivery, ends: readonly PlaceEnd[]): Settlement {
  const outcomes = Buffer.alloc(ends.length * outcomeBytes);
  const dues = Buffer.alloc(ends.length * 8);
  ends.forEach(({ place, code, due }, index) => {
    const attempt = delivery.attempts[place] ?? 1;
    const record = { place, attempt, code, startMs: 1, durationMs: 1, worker: 1 };
    encodeOutcome({ ...record, exitCode: 0, signal: 0 }, outcomes, index * outcomeBytes);
    dues.writeDoubleLE(due ?? 0, index * 8);
  });
  const { carrier, token } = delivery;
  return { carrier, token, outcomes, extras: Buffer.alloc(0), dues };
}

/** Every place of a delivery, succeeded. */
export function allSucceeded(delivery: Delivery): Settlement {
  const places = delivery.ids.map((_, place) => ({ place, code: stateCode.succeeded }));
  return settlementOf(delivery, places);
}
