import { randomBytes } from 'node:crypto';
import type { Plan } from '@runnel/core';
import { type Consumer, consumeDeliveries, DeliveryQueues } from '@runnel/queue';
import {
  connectRedis,
  type Delivery,
  type RedisClient,
  RunInfo,
  readRunFacts,
  signOn,
  signOnListener,
} from '@runnel/store';
import { type PlaceEnd, StoreDriver, settlementOf } from '@runnel/store/store-driver';
import { type GraphNode, plainNode } from '@runnel/testing';
import { type Why, whyRun, whyTask } from './why.ts';

/** A node after others, which it wants to have succeeded. */
export function after(parents: readonly number[], changes: Partial<GraphNode> = {}): GraphNode {
  return {
    ...plainNode,
    parents: parents.map((id) => ({ id, on: 'succeeded' as const })),
    ...changes,
  };
}

/** A run in a namespace of its own, played step by step on a real Redis, with a real BullMQ. */
export class Scene implements AsyncDisposable {
  readonly driver: StoreDriver;
  readonly queues: DeliveryQueues;
  readonly #open: AsyncDisposableStack;

  private constructor(driver: StoreDriver, queues: DeliveryQueues, open: AsyncDisposableStack) {
    this.driver = driver;
    this.queues = queues;
    this.#open = open;
  }

  /** With a listener that is alive. */
  static async start(
    redis: RedisClient,
    plan: Plan,
    options: { readonly maxBatch?: number; readonly expiresAt?: number } = {},
  ): Promise<Scene> {
    const namespace = `why${randomBytes(6).toString('hex')}`;
    const driver = await StoreDriver.submit(redis, namespace, plan, {
      maxBatch: 1,
      ...options,
    });
    await signOnListener(redis, namespace, 'listener', Date.now());
    const open = new AsyncDisposableStack();
    const queues = open.use(
      new DeliveryQueues({ connection: redis, namespace, onError: () => undefined }),
    );
    return new Scene(driver, queues, open);
  }

  get redis(): RedisClient {
    return this.driver.redis;
  }

  get names(): StoreDriver['run']['names'] {
    return this.driver.run.names;
  }

  /** Signs a worker on, as it would itself. */
  async addWorker(name: string, slots: Readonly<Record<string, number>>): Promise<void> {
    const at = Date.now();
    await signOn(this.redis, this.driver.namespace, {
      ...{ name, number: 1, host: 'h', pid: 1, version: '0', startedAt: at, seenAt: at },
      ...{ slots, executors: ['noop'], running: 0, isStopping: false },
    });
  }

  /** Puts what was cut into BullMQ. */
  async moveOutbox(): Promise<void> {
    const deliveries = await this.driver.deliveries();
    const jobs = deliveries.map(({ carrier, cutAtS }) => ({
      ...{ runId: this.driver.run.id, carrier, cutAtS },
      ...{ name: 'a', taskCount: 1, firstTask: 0, priority: 0 },
    }));
    await this.queues.add('default', jobs);
    await this.driver.clearOutbox(deliveries.map(({ carrier }) => carrier));
  }

  /** Has BullMQ start the job of the first delivery under a name; it runs until the scene is over. */
  async startJob(name: string, redisUrl: string): Promise<void> {
    const redis = connectRedis(redisUrl, () => undefined);
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const consumer: Consumer = await consumeDeliveries({
      ...{ connection: redis, namespace: this.driver.namespace, queue: 'default' },
      ...{ concurrency: 1, name, onError: () => undefined },
      async process() {
        started.resolve();
        await ended.promise;
        return { kind: 'completed', result: {} };
      },
    });
    this.#open.defer(async () => {
      ended.resolve();
      await consumer.stop();
      redis.disconnect();
    });
    await started.promise;
  }

  /** Claims the only delivery. */
  async claim(starts = 1): Promise<Delivery> {
    const [delivery] = await this.driver.deliveries();
    return await this.driver.claimed(delivery?.carrier ?? 0, starts);
  }

  /** One turn that cuts a delivery, which then ends as told. */
  async play(end: Omit<PlaceEnd, 'place'>, failure?: unknown): Promise<void> {
    await this.driver.turn();
    const delivery = await this.claim();
    const ends = delivery.ids.map((_, place) => ({ ...end, place }));
    await this.driver.settle([settlementOf(delivery, ends)]);
    const fields = delivery.ids.map((id, place) => `${id}.${delivery.attempts[place] ?? 1}`);
    if (failure === undefined) return;
    for (const field of fields) {
      await this.redis.hset(this.names.failures, field, JSON.stringify(failure));
    }
  }

  async why(task?: number): Promise<Why> {
    const { redis, namespace, run } = this.driver;
    const context = { redis, namespace, jobs: this.queues, now: Date.now };
    const open = async (): Promise<RunInfo> =>
      new RunInfo(redis, await readRunFacts(redis, namespace, run.id));
    if (task === undefined) return await whyRun(context, run.id, open);
    return await whyTask(context, await open(), task);
  }

  async codes(task?: number): Promise<readonly string[]> {
    return (await this.why(task)).reasons.map(({ code }) => code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

/** What a worker would have written of a failed attempt. */
export const failure = {
  ...{ reason: 'exit', message: 'no such file', retryable: true },
  ...{ startMs: 1, durationMs: 1, worker: 'w1', exitCode: 3 },
};
