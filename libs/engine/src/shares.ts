import type { QueueShare, RedisClient } from '@runnel/store';
import { readDemand, readWorkers, sumSlots } from '@runnel/store';

/**
 * How much of each queue's slots a run gets. The window is about twice the slots, shared by the runs
 * that want some: enough that no slot waits, little enough that deliveries stay large and a small
 * run does not stand behind a large one. A queue without workers has a window of 1.
 */
export class Shares {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  #slots: ReadonlyMap<string, number> = new Map();
  #demand: ReadonlyMap<string, number> = new Map();

  constructor(redis: RedisClient, namespace: string) {
    this.#redis = redis;
    this.#namespace = namespace;
  }

  /** Reads workers and demand; to be called every second or so. */
  async refresh(now: number): Promise<void> {
    const [workers, demand] = await Promise.all([
      readWorkers(this.#redis, this.#namespace, now),
      readDemand(this.#redis, this.#namespace),
    ]);
    this.#slots = sumSlots(workers);
    this.#demand = demand;
  }

  of(queues: readonly string[]): readonly QueueShare[] {
    return queues.map((queue) => {
      const slots = this.#slots.get(queue) ?? 0;
      const runs = Math.max(1, this.#demand.get(queue) ?? 1);
      return {
        window: Math.max(1, Math.ceil((2 * slots) / runs)),
        slots: Math.max(1, Math.ceil(slots / runs)),
      };
    });
  }
}
