import { setImmediate as afterWrites } from 'node:timers/promises';
import { failpoint } from '@runnel/core';
import {
  type Delivery,
  type NewOutcomeEntry,
  nudge,
  outcomeBytes,
  type RedisClient,
  type RunInfo,
  type RunInfoCache,
  type TurnAnswer,
  takeTurn,
} from '@runnel/store';
import type { Enqueuer } from './enqueue.ts';
import type { RunNews } from './run-news.ts';
import { prepareSettlement } from './settle.ts';
import type { Shares } from './shares.ts';
import { nextToken } from './tokens.ts';

/** Outcomes that one call settles at most: a few ms of Redis. */
const outcomesPerCall = 256;
/** A reservation whose job went to another worker is of no use; these are forgotten, oldest first. */
const mostReserved = 1_024;

export interface SlotTurnsOptions {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly infos: RunInfoCache;
  readonly shares: Shares;
  readonly enqueuer: Enqueuer;
  readonly news: RunNews;
  now(): number;
  random(): number;
  onError(error: Error): void;
}

/** Deliveries reserved beyond those of the slots that are free now: for the next slot that will be. */
const reservedAhead = 1;

/** A job that was put into BullMQ comes within this time, if it comes here at all. */
const expectMs = 200;

/**
 * After this a reservation is not used any more: its job went to another worker. A job that BullMQ has
 * forgotten meanwhile and that is added again by a late call would start for the first time once more,
 * and a claim refuses what has ended.
 */
const reservedForMs = 2_000;

/** A delivery that was cut for this worker: it may start when its job comes, without a claim. */
export interface Reserved {
  readonly delivery: Delivery;
  readonly hasOutputs: boolean;
  readonly shape: number;
  readonly at: number;
}

/** The last outcomes of a delivery, whose slot is free afterwards. */
interface Ending {
  /** As the delivery was claimed with. */
  readonly info: RunInfo;
  readonly entry: NewOutcomeEntry;
  readonly queue: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * The turn that a worker takes when a delivery ends: its last outcomes are settled, and what they
 * make ready is cut, reserved for the slot that is free now, and put into BullMQ, all before the job
 * ends. So the job's end brings the slot its next one. Deliveries of a run that end while its turn
 * is under way share the next. What the turn leaves (a backlog, a halt) is the listener's.
 */
export class SlotTurns {
  readonly #options: SlotTurnsOptions;
  readonly #lines = new Map<string, Ending[]>();
  readonly #reserved = new Map<string, Reserved>();
  readonly #moves = new Set<Promise<void>>();

  constructor(options: SlotTurnsOptions) {
    this.#options = options;
  }

  /** Settles; throws where that failed, and the outcomes have to go through the stream. */
  settle(info: RunInfo, entry: NewOutcomeEntry, queue: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ending = { info, entry, queue, resolve, reject };
    const line = this.#lines.get(entry.runId);
    if (line === undefined) {
      const started = [ending];
      this.#lines.set(entry.runId, started);
      void this.#work(entry.runId, started);
    } else {
      line.push(ending);
    }
    return promise;
  }

  /** What was reserved of a delivery a moment ago, once. */
  takeReserved(runId: string, carrier: number): Reserved | undefined {
    const key = `${runId}.${carrier}`;
    const reserved = this.#reserved.get(key);
    this.#reserved.delete(key);
    const isFresh = reserved !== undefined && this.#options.now() - reserved.at < reservedForMs;
    return isFresh ? reserved : undefined;
  }

  /**
   * Whether the slot's next job is in its queue already, as far as this worker knows: then nothing
   * is gained by ending a job only after its turn.
   */
  expectsJob(queue: number): boolean {
    const since = this.#options.now() - expectMs;
    for (const { delivery, at } of this.#reserved.values()) {
      if (at >= since && delivery.queue === queue) return true;
    }
    return false;
  }

  /** Resolves when what was cut has been put into BullMQ, or stayed in the outbox. */
  async drain(): Promise<void> {
    await Promise.all(this.#moves);
  }

  async #work(runId: string, line: Ending[]): Promise<void> {
    while (line.length > 0) {
      const endings = takeSome(line);
      try {
        await this.#turn(endings);
        for (const { resolve } of endings) resolve();
      } catch (error: unknown) {
        for (const { reject } of endings) reject(error);
      }
    }
    this.#lines.delete(runId);
  }

  async #turn(endings: readonly Ending[]): Promise<void> {
    const info = newestOf(endings);
    const { redis, shares, now, random } = this.#options;
    const { handle, priority } = info.facts;
    const context = { redis, now: now(), random };
    const settlements = await Promise.all(
      endings.map(({ entry }) => prepareSettlement(entry, info, context)),
    );
    const counts = handle.queues.map((_, queue) => {
      const free = endings.filter((ending) => ending.queue === queue).length;
      return free === 0 ? 0 : free + reservedAhead;
    });
    await failpoint('settle.before');
    const answer = await takeTurn(redis, handle, {
      settlements,
      shares: shares.of(handle.queues, priority),
      now: now(),
      reserve: { token: nextToken(), counts },
    });
    await failpoint('settle.after');
    if (answer === null) this.#options.infos.forget(handle.id);
    else await this.#follow(await this.#options.infos.readAt(handle.id, answer.shape), answer);
  }

  async #follow(info: RunInfo, answer: TurnAnswer): Promise<void> {
    const { redis, namespace, enqueuer, news, infos, now, onError } = this.#options;
    const { id } = info.facts.handle;
    for (const delivery of answer.reserved) {
      const { hasOutputs, shape } = answer;
      this.#reserved.set(`${id}.${delivery.carrier}`, { delivery, hasOutputs, shape, at: now() });
      // Sent before the next turn, which would hold it up.
      info.prefetch(delivery.ids);
    }
    this.#forgetOldest();
    if (answer.accepted > 0) news.tell(id, 'settled');
    if (answer.unfinished > 0 || answer.state === 'halting') {
      await nudge(redis, namespace, id);
    } else if (!['running', 'retrying', 'changing', 'editing'].includes(answer.state)) {
      infos.forget(id);
      news.tell(id, 'ended');
    }
    if (answer.outbox.length === 0) return;
    const move = enqueuer
      .move(info, answer.outbox, now())
      .catch(onError)
      .finally(() => this.#moves.delete(move));
    this.#moves.add(move);
    // The jobs are on their way before the job that ends asks for the next one, on the same connection.
    await afterWrites();
  }

  #forgetOldest(): void {
    for (const key of this.#reserved.keys()) {
      if (this.#reserved.size <= mostReserved) return;
      this.#reserved.delete(key);
    }
  }
}

/** What knows every task that has ended here: endings of one run may have been claimed before and after it grew. */
function newestOf(endings: readonly Ending[]): RunInfo {
  return endings
    .map(({ info }) => info)
    .reduce((newest, info) => (info.facts.shape > newest.facts.shape ? info : newest));
}

/** At least one, and as many as one call settles. */
function takeSome(line: Ending[]): readonly Ending[] {
  let outcomes = 0;
  let count = 0;
  for (const { entry } of line) {
    outcomes += entry.outcomes.length / outcomeBytes;
    if (count > 0 && outcomes > outcomesPerCall) break;
    count++;
  }
  return line.splice(0, count);
}
