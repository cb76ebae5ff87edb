import type { Plan } from '@runnel/core';
import { DeliveryQueues } from '@runnel/queue';
import { type RedisClient, readDeliveries, type TurnAnswer, toUint32 } from '@runnel/store';
import { allSucceeded, StoreDriver } from '@runnel/store/store-driver';
import { diagnose, type RepairContext, treat } from './doctor.ts';
import type { Finding } from './finding.ts';

/** A run, played step by step, with jobs in a real BullMQ, and a doctor beside it. */
export class Patient implements AsyncDisposable {
  readonly driver: StoreDriver;
  readonly redis: RedisClient;
  readonly queues: DeliveryQueues;

  private constructor(driver: StoreDriver, redis: RedisClient, queues: DeliveryQueues) {
    this.driver = driver;
    this.redis = redis;
    this.queues = queues;
  }

  static async submit(redis: RedisClient, namespace: string, plan: Plan): Promise<Patient> {
    const driver = await StoreDriver.submit(redis, namespace, plan, { maxBatch: 4 });
    // As if a listener had read what woke it.
    await redis.del(driver.run.names.outcomes);
    const queues = new DeliveryQueues({ connection: redis, namespace, onError: () => undefined });
    return new Patient(driver, redis, queues);
  }

  get names(): StoreDriver['run']['names'] {
    return this.driver.run.names;
  }

  /** A turn whose deliveries get into BullMQ. */
  async turn(): Promise<TurnAnswer> {
    const answer = await this.driver.turn();
    await this.#move();
    return answer;
  }

  /** Carries out every delivery that is open. */
  async round(): Promise<void> {
    for (const { carrier } of await this.driver.deliveries()) {
      const answer = await this.driver.claim(carrier, 9);
      if (answer.kind === 'claimed') await this.driver.settle([allSucceeded(answer.delivery)]);
    }
    await this.turn();
  }

  /** To the end; the state that the run came to. */
  async finish(): Promise<string> {
    for (let step = 0; step < 50; step++) {
      await this.round();
      const { state } = await this.driver.summary();
      if (state !== 'running') return state;
    }
    return 'stuck';
  }

  /** Kinds that are found in this run, each once. */
  async kinds(): Promise<readonly string[]> {
    return [...new Set((await this.findings()).map(({ kind }) => kind))].sort();
  }

  async findings(): Promise<readonly Finding[]> {
    const { findings } = await diagnose(this.#context(), { runId: this.#id, settleMs: 1 });
    return findings;
  }

  /** Mends; what is left of what was found. */
  async treat(): Promise<readonly string[]> {
    const { left } = await treat(this.#context(), { runId: this.#id, settleMs: 1 });
    return left.findings.map(({ kind }) => kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.queues[Symbol.asyncDispose]();
  }

  get #id(): string {
    return this.driver.run.id;
  }

  async #move(): Promise<void> {
    const carriers = (await this.redis.zrange(this.names.outbox, '0', '-1')).map(Number);
    const deliveries = await readDeliveries(this.redis, this.driver.run);
    const jobs = carriers.map((carrier) => ({
      ...{ runId: this.#id, carrier, name: 'a', taskCount: 1, firstTask: 0, priority: 0 },
      cutAtS: deliveries.find((delivery) => delivery.carrier === carrier)?.cutAtS ?? 0,
    }));
    await this.queues.add(this.driver.run.queues[0] ?? '', jobs);
    await this.driver.clearOutbox(carriers);
  }

  #context(): RepairContext {
    const { redis, driver } = this;
    return {
      ...{ redis, namespace: driver.namespace, jobs: this.queues, now: Date.now },
      moveOutbox: () => this.#move(),
    };
  }
}

/** The ids in the first entry of a run's only ready list. */
export async function firstReady(redis: RedisClient, patient: Patient): Promise<Uint32Array> {
  const [key = ''] = patient.driver.run.keys.more ?? [];
  const raw = (await redis.lindexBuffer(key, 0)) ?? Buffer.alloc(4);
  return toUint32(raw.subarray(4));
}
