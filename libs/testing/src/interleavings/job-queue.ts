import type { DeliveryJob, DeliveryKey } from '@runnel/queue';
import { DeliveryQueues, jobId } from '@runnel/queue';
import type { Redis } from 'ioredis';
import type { Process } from './process.ts';
import type { ProtocolWatch } from './protocol-watch.ts';

/** A start of a job under a lock; only this start can end it. */
export interface StartedModelJob {
  readonly id: string;
  readonly runId: string;
  readonly carrier: number;
  readonly attemptsStarted: number;
  readonly by: Process;
  readonly lease: AbortController;
}

interface ModelJob {
  readonly id: string;
  readonly runId: string;
  readonly carrier: number;
  state: 'waiting' | 'active' | 'ended';
  attemptsStarted: number;
  started: StartedModelJob | null;
}

/** What BullMQ promises, in memory: jobs by id, locks that can be lost, ended jobs that are forgotten. */
export class JobQueue {
  readonly #jobs = new Map<string, ModelJob>();
  /** Locks that were lost and whose holders have not noticed. */
  readonly unnoticed = new Set<StartedModelJob>();

  /** A job that is known is not added again. */
  add({ runId, carrier, cutAtS }: DeliveryKey & { readonly runId: string }): void {
    const id = jobId(runId, { carrier, cutAtS });
    if (this.#jobs.has(id)) return;
    this.#jobs.set(id, { id, runId, carrier, state: 'waiting', attemptsStarted: 0, started: null });
  }

  hasWaiting(): boolean {
    return this.#inState('waiting').length > 0;
  }

  take(by: Process): StartedModelJob | null {
    const [job] = this.#inState('waiting');
    if (job === undefined) return null;
    // Its place in the line: a job that comes back goes behind.
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, job);
    job.state = 'active';
    job.attemptsStarted++;
    const { id, runId, carrier, attemptsStarted } = job;
    job.started = { id, runId, carrier, attemptsStarted, by, lease: new AbortController() };
    return job.started;
  }

  /** Without the lock this has no effect. */
  end(started: StartedModelJob): void {
    const job = this.#jobs.get(started.id);
    this.unnoticed.delete(started);
    if (job?.started !== started) return;
    job.started = null;
    job.state = 'ended';
  }

  isKnownOpen(runId: string, delivery: DeliveryKey): boolean {
    const state = this.#jobs.get(jobId(runId, delivery))?.state;
    return state === 'waiting' || state === 'active';
  }

  /** Starts that hold their lock. */
  active(): readonly StartedModelJob[] {
    return this.#inState('active').flatMap(({ started }) => (started === null ? [] : [started]));
  }

  /** The lock ran out: the job waits again, whether its holder lives or not. */
  stall(started: StartedModelJob): void {
    const job = this.#jobs.get(started.id);
    if (job?.started !== started) return;
    job.started = null;
    job.state = 'waiting';
    if (!started.by.isDead) this.unnoticed.add(started);
  }

  /** Ended jobs beyond those that are kept. */
  forgetEnded(): void {
    for (const job of this.#inState('ended')) this.#jobs.delete(job.id);
  }

  /** As if somebody had removed it. */
  drop(nth: number): void {
    const open = [...this.#jobs.values()].filter(({ state }) => state === 'waiting');
    const job = open[nth % Math.max(1, open.length)];
    if (job !== undefined) this.#jobs.delete(job.id);
  }

  #inState(state: ModelJob['state']): readonly ModelJob[] {
    return [...this.#jobs.values()].filter((job) => job.state === state);
  }
}

/** The way of a process into the model queue; each call is a step. */
export class ModelQueues extends DeliveryQueues {
  readonly #process: Process;
  readonly #jobs: JobQueue;
  readonly #watch: ProtocolWatch;

  constructor(
    redis: Redis,
    process: Process,
    { jobs, watch }: { readonly jobs: JobQueue; readonly watch: ProtocolWatch },
  ) {
    super({ connection: redis, namespace: 'model', onError: () => undefined });
    this.#process = process;
    this.#jobs = jobs;
    this.#watch = watch;
  }

  override async add(_queue: string, jobs: readonly DeliveryJob[]): Promise<void> {
    await this.#process.pass('queue', {
      label: `add ${jobs.map(({ carrier }) => carrier).join()}`,
      run: () => {
        for (const job of jobs) {
          this.#jobs.add(job);
          this.#watch.onAdd(job.carrier);
        }
      },
    });
  }

  override async findLost(
    _queue: string,
    runId: string,
    deliveries: readonly DeliveryKey[],
  ): Promise<readonly number[]> {
    if (deliveries.length === 0) return [];
    const carriers = deliveries.map(({ carrier }) => carrier);
    let lost: readonly number[] = [];
    await this.#process.pass('queue', {
      label: `states ${carriers.join()}`,
      run: () => {
        const gone = deliveries.filter((delivery) => !this.#jobs.isKnownOpen(runId, delivery));
        lost = gone.map(({ carrier }) => carrier);
        this.#watch.onStates(this.#process.name, carriers, lost);
      },
    });
    return lost;
  }
}
