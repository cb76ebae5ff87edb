import { Job, Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { type DeliveryKey, jobId, queuePrefix } from './names.ts';

/** What BullMQ carries: where to find the delivery, and what a person wants to see of it. */
export interface DeliveryJob extends DeliveryKey {
  readonly runId: string;
  /** The task's id, or `class ×N`. */
  readonly name: string;
  readonly taskCount: number;
  /** Number of the first task, for links. */
  readonly firstTask: number;
  /** Higher goes first: -1000 to 1000. */
  readonly priority: number;
}

/** `r`un, `c`arrier, `t`ask, `n`umber of tasks: short, since every waiting job keeps it in Redis. */
export interface JobData {
  readonly r: string;
  readonly c: number;
  readonly t: number;
  readonly n: number;
}

/** Where BullMQ has the job of a delivery. */
export interface JobPlace {
  /** `gone`: never added, forgotten, or ended. */
  readonly state: 'waiting' | 'active' | 'gone';
  /** Who has it, and since when; null while it waits. */
  readonly worker: string | null;
  readonly startedAt: number | null;
}

/** Enough that BullMQ's own events never grow large; nothing here depends on them. */
const keptEvents = 1_000;

/** Puts deliveries into BullMQ and asks after them. */
export class DeliveryQueues implements AsyncDisposable {
  readonly #connection: Redis | Cluster;
  readonly #namespace: string;
  readonly #onError: (error: Error) => void;
  readonly #queues = new Map<string, Queue<JobData>>();

  constructor(options: {
    readonly connection: Redis | Cluster;
    readonly namespace: string;
    onError(error: Error): void;
  }) {
    this.#connection = options.connection;
    this.#namespace = options.namespace;
    this.#onError = options.onError;
  }

  /** Adds jobs; one that BullMQ still knows is not added again. */
  async add(queue: string, jobs: readonly DeliveryJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.queue(queue).addBulk(
      jobs.map((job) => ({
        name: job.name,
        data: { r: job.runId, c: job.carrier, t: job.firstTask, n: job.taskCount },
        opts: { jobId: jobId(job.runId, job), ...orderOf(job) },
      })),
    );
  }

  /** The carriers of those that BullMQ neither keeps waiting nor has active. */
  async findLost(
    queue: string,
    runId: string,
    deliveries: readonly DeliveryKey[],
  ): Promise<readonly number[]> {
    const states = await Promise.all(
      deliveries.map((delivery) => this.queue(queue).getJobState(jobId(runId, delivery))),
    );
    return deliveries.flatMap(({ carrier }, index) => {
      const state = states[index];
      return state === 'unknown' || state === 'completed' || state === 'failed' ? [carrier] : [];
    });
  }

  /** Where the job of each of these deliveries is. */
  findJobs(
    queue: string,
    runId: string,
    deliveries: readonly DeliveryKey[],
  ): Promise<readonly JobPlace[]> {
    return Promise.all(
      deliveries.map(async (delivery) => {
        const id = jobId(runId, delivery);
        const [state, job] = await Promise.all([
          this.queue(queue).getJobState(id),
          Job.fromId<JobData>(this.queue(queue), id),
        ]);
        if (state === 'unknown' || state === 'completed' || state === 'failed') return goneJob;
        if (state !== 'active') return { state: 'waiting', worker: null, startedAt: null };
        return {
          state: 'active',
          worker: job?.processedBy ?? null,
          startedAt: job?.processedOn ?? null,
        };
      }),
    );
  }

  /** Jobs of a queue, of all runs. */
  async countJobs(queue: string): Promise<{ readonly waiting: number; readonly active: number }> {
    const counts = await this.queue(queue).getJobCounts('wait', 'prioritized', 'active');
    const { wait = 0, prioritized = 0, active = 0 } = counts;
    return { waiting: wait + prioritized, active };
  }

  queue(name: string): Queue<JobData> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<JobData>(name, {
      connection: this.#connection,
      prefix: queuePrefix(this.#namespace, name),
      streams: { events: { maxLen: keptEvents } },
    });
    queue.on('error', this.#onError);
    this.#queues.set(name, queue);
    return queue;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}

const goneJob: JobPlace = { state: 'gone', worker: null, startedAt: null };

/**
 * In BullMQ jobs without a priority go before all that have one, and it counts from 1 (first) to
 * 2,097,152. So what is above 0 goes to the front, what is below 0 behind all others. Between runs
 * the windows decide: this queue is short.
 */
function orderOf({ priority }: DeliveryJob): { readonly priority?: number; readonly lifo?: true } {
  if (priority === 0) return {};
  return priority > 0 ? { lifo: true } : { priority: Math.min(2_000_000, Math.ceil(-priority)) };
}
