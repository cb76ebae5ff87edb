import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '@runnel/core';
import {
  appendOutcomes,
  encodeExtras,
  encodeOutcome,
  type NewOutcomeEntry,
  type OutcomeExtra,
  type OutcomeRecord,
  outcomeBytes,
  type RedisClient,
} from '@runnel/store';

/** Outcomes wait at most so long for company: a child may depend on each. */
const flushMs = 5;
/** One entry of the stream carries at most so many. */
const flushOutcomes = 256;
const flushBytes = 65_536;

/** Whose outcomes are reported: a claimed delivery. */
export interface ReportedDelivery {
  readonly runId: string;
  readonly carrier: number;
  readonly token: Buffer;
  readonly group: number;
}

/** Appends the outcomes of one delivery to its shard's stream as they come, packed. */
export class DeliveryReport {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #delivery: ReportedDelivery;
  readonly #lease: AbortSignal;
  #records: OutcomeRecord[] = [];
  #extras: OutcomeExtra[] = [];
  #extraBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly redis: RedisClient;
    readonly namespace: string;
    readonly delivery: ReportedDelivery;
    /** Once it is aborted nothing more is appended: another worker has the delivery. */
    readonly lease: AbortSignal;
  }) {
    this.#redis = options.redis;
    this.#namespace = options.namespace;
    this.#delivery = options.delivery;
    this.#lease = options.lease;
  }

  add(record: OutcomeRecord, extra?: OutcomeExtra): void {
    this.#records.push(record);
    if (extra !== undefined) {
      this.#extras.push(extra);
      this.#extraBytes += extra.json.length;
    }
    const isFull = this.#records.length >= flushOutcomes || this.#extraBytes >= flushBytes;
    if (isFull) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  /** Resolves when Redis has answered for everything that was added. */
  async drain(): Promise<void> {
    this.#flush();
    await this.#last;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#records.length === 0) return;
    const outcomes = Buffer.alloc(this.#records.length * outcomeBytes);
    this.#records.forEach((record, index) => {
      encodeOutcome(record, outcomes, index * outcomeBytes);
    });
    const entry = { ...this.#delivery, outcomes, extras: encodeExtras(this.#extras) };
    this.#records = [];
    this.#extras = [];
    this.#extraBytes = 0;
    this.#last = Promise.all([this.#last, this.#append(entry)]).then(() => undefined);
    // `drain` throws what went wrong; until then nobody may be waiting.
    this.#last.catch(() => undefined);
  }

  /** A full Redis refuses entries: they are offered again until there is room or the lease is lost. */
  async #append(entry: NewOutcomeEntry): Promise<void> {
    for (;;) {
      if (this.#lease.aborted) return;
      try {
        await failpoint('report.before-append');
        await appendOutcomes(this.#redis, this.#namespace, [entry]);
        return await failpoint('report.after-append');
      } catch (error: unknown) {
        if (!(error instanceof Error && /^(OOM|READONLY|LOADING|NOREPLICAS)/.test(error.message)))
          throw error;
        await sleep(500);
      }
    }
  }
}
