import { AttemptAbort } from '@runnel/core';
import { type Job, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { JobData } from './delivery-queues.ts';
import { queuePrefix } from './names.ts';

/** A worker whose lock is not renewed for so long has lost its jobs. */
export const lockMs = 8_000;
/** How often workers look for jobs whose lock ran out. */
const stalledCheckMs = 3_000;
/** After an error of Redis; BullMQ's own 15 s would be most of an outage. */
const retryFetchMs = 1_000;
const keepCompleted = 1_000;
const keepFailed = 5_000;

/** A start of a delivery's job. */
export interface StartedJob {
  readonly jobId: string;
  readonly runId: string;
  readonly carrier: number;
  /** How often the job was started, this start included. */
  readonly attemptsStarted: number;
  readonly taskCount: number;
  /** Aborted with `lease-lost` when the job may be running elsewhere. */
  readonly lease: AbortSignal;
  /** Shows text at the job in Bull Board. */
  log(text: string): Promise<void>;
}

/** What is shown of an ended job: counts, or the reason why its only task failed. */
export type JobEnd =
  | { readonly kind: 'completed'; readonly result: Readonly<Record<string, number | string>> }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ConsumeOptions {
  readonly connection: Redis | Cluster;
  readonly namespace: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly name: string;
  process(job: StartedJob): Promise<JobEnd>;
  onError(error: Error): void;
}

/** A running consumer of one queue. */
export interface Consumer {
  /** Takes no further job; resolves when none is running. */
  stop(): Promise<void>;
}

/**
 * Takes jobs of a queue. BullMQ renews their locks but aborts nothing when one is lost: each job has
 * an AbortController of its own here, aborted when a renewal failed or none was made for `lockMs`.
 */
export async function consumeDeliveries(options: ConsumeOptions): Promise<Consumer> {
  const leases = new Map<string, Lease>();
  const worker = new Worker<JobData, unknown>(
    options.queue,
    (job) => processJob(job, leases, options),
    {
      connection: options.connection,
      prefix: queuePrefix(options.namespace, options.queue),
      concurrency: options.concurrency,
      name: options.name,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      runRetryDelay: retryFetchMs,
      // A delivery that takes its workers down is dealt with by claims, task by task.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: keepCompleted },
      removeOnFail: { count: keepFailed },
      autorun: false,
    },
  );
  worker.on('error', options.onError);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) leases.get(id)?.lose();
  });
  worker.on('locksRenewed', ({ jobIds }) => {
    for (const id of jobIds) leases.get(id)?.renew();
  });
  const watch = setInterval(() => {
    for (const lease of leases.values()) lease.check();
  }, 500);
  await worker.waitUntilReady();
  worker.run().catch(options.onError);
  return {
    async stop() {
      await worker.close();
      clearInterval(watch);
    },
  };
}

async function processJob(
  job: Job<JobData, unknown>,
  leases: Map<string, Lease>,
  options: ConsumeOptions,
): Promise<unknown> {
  const id = job.id ?? '';
  const lease = new Lease();
  leases.set(id, lease);
  try {
    const end = await options.process({
      jobId: id,
      runId: job.data.r,
      carrier: job.data.c,
      attemptsStarted: job.attemptsStarted,
      taskCount: job.data.n,
      lease: lease.signal,
      log: async (text) => {
        await job.log(text);
      },
    });
    if (end.kind === 'completed') return end.result;
    throw withoutStack(end.reason);
  } finally {
    // The same worker may have been given its own stalled job again meanwhile.
    if (leases.get(id) === lease) leases.delete(id);
  }
}

/** Ten stack lines a failed job say nothing about the task. */
function withoutStack(reason: string): Error {
  const error = new Error(reason);
  error.stack = reason;
  return error;
}

class Lease {
  readonly #controller = new AbortController();
  #renewedAt = performance.now();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(): void {
    this.#renewedAt = performance.now();
  }

  lose(): void {
    this.#controller.abort(new AttemptAbort('lease-lost'));
  }

  check(): void {
    if (performance.now() - this.#renewedAt > lockMs) this.lose();
  }
}
