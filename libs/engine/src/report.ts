import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '@runnel/core';
import {
  appendOutcomes,
  encodeExtras,
  encodeOutcome,
  type Fence,
  type NewOutcomeEntry,
  NotReplicatedError,
  type OutcomeExtra,
  type OutcomeRecord,
  outcomeBytes,
  type RedisClient,
} from '@runnel/store';

/** Outcomes wait at most so long for company: a child may depend on each. */
const flushMs = 10;
/** More than these don't wait: a delivery's last outcomes are no more. */
const flushOutcomes = 256;
const flushBytes = 65_536;

/** Whose outcomes are reported: a claimed delivery. */
export interface ReportedDelivery {
  readonly runId: string;
  readonly carrier: number;
  readonly token: Buffer;
  readonly group: number;
}

/**
 * Reports the outcomes of one delivery, packed: what ends early goes to the shard's stream, for the
 * listener; the last ones are settled by the worker's own turn, or go to the stream where that fails.
 */
export class DeliveryReport {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #delivery: ReportedDelivery;
  readonly #lease: AbortSignal;
  readonly #fence: Fence;
  #records: OutcomeRecord[] = [];
  #extras: OutcomeExtra[] = [];
  #extraBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #appended: Promise<void> = Promise.resolve();
  readonly #settleLast: (entry: NewOutcomeEntry) => Promise<void>;

  constructor(options: {
    readonly redis: RedisClient;
    readonly namespace: string;
    readonly delivery: ReportedDelivery;
    /** Once it is aborted nothing more is appended: another worker has the delivery. */
    readonly lease: AbortSignal;
    /** What is reported counts once this has let it pass. */
    readonly fence: Fence;
    settleLast(entry: NewOutcomeEntry): Promise<void>;
  }) {
    this.#redis = options.redis;
    this.#namespace = options.namespace;
    this.#delivery = options.delivery;
    this.#lease = options.lease;
    this.#fence = options.fence;
    this.#settleLast = (entry) => options.settleLast(entry);
  }

  add(record: OutcomeRecord, extra?: OutcomeExtra): void {
    this.#records.push(record);
    if (extra !== undefined) {
      this.#extras.push(extra);
      this.#extraBytes += extra.json.length;
    }
    const isFull = this.#records.length > flushOutcomes || this.#extraBytes >= flushBytes;
    if (isFull) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  /** Resolves when everything that was added is settled, or in the stream for good. */
  async finish(): Promise<void> {
    const entry = this.#take();
    if (entry !== null && !this.#lease.aborted) await this.#settle(entry);
    await this.#appended;
  }

  async #settle(entry: NewOutcomeEntry): Promise<void> {
    try {
      await this.#fence.run(() => this.#settleLast(entry));
    } catch {
      // Settled twice, they count once.
      await this.#append(entry);
    }
  }

  #flush(): void {
    const entry = this.#take();
    if (entry === null) return;
    this.#appended = Promise.all([this.#appended, this.#append(entry)]).then(() => undefined);
    // `finish` throws what went wrong; until then nobody may be waiting.
    this.#appended.catch(() => undefined);
  }

  #take(): NewOutcomeEntry | null {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#records.length === 0) return null;
    const outcomes = Buffer.alloc(this.#records.length * outcomeBytes);
    this.#records.forEach((record, index) => {
      encodeOutcome(record, outcomes, index * outcomeBytes);
    });
    const entry = { ...this.#delivery, outcomes, extras: encodeExtras(this.#extras) };
    this.#records = [];
    this.#extras = [];
    this.#extraBytes = 0;
    return entry;
  }

  /** A full Redis refuses entries: they are offered again until there is room or the lease is lost. */
  async #append(entry: NewOutcomeEntry): Promise<void> {
    for (;;) {
      if (this.#lease.aborted) return;
      try {
        await failpoint('report.before-append');
        await this.#fence.run(() => appendOutcomes(this.#redis, this.#namespace, [entry]));
        return await failpoint('report.after-append');
      } catch (error: unknown) {
        if (!isPassing(error)) throw error;
        await sleep(500);
      }
    }
  }
}

/** It will be different some time: there is no room, or no master with a replica. */
function isPassing(error: unknown): boolean {
  if (error instanceof NotReplicatedError) return true;
  return (
    error instanceof Error && /^(OOM|READONLY|LOADING|NOREPLICAS|CLUSTERDOWN)/.test(error.message)
  );
}
