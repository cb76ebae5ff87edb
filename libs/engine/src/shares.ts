import {
  type Demand,
  type QueueShare,
  type RedisClient,
  readDemand,
  readWorkers,
  sumSlots,
} from '@runnel/store';

/**
 * How much of each queue's slots a run gets. The window is about twice the slots, shared by the runs
 * of its priority that want some: enough that no slot waits, little enough that deliveries stay
 * large and a small run does not stand behind a large one. A run below another's priority keeps a
 * window of 1, so that it is slow but never stuck; so does every run of a queue without workers.
 */
export class Shares {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  #slots: ReadonlyMap<string, number> = new Map();
  #demand: Demand = new Map();

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

  /** The shares of a run with these queues. */
  of(queues: readonly string[], priority: number): readonly QueueShare[] {
    return queues.map((queue) =>
      shareOf(this.#slots.get(queue) ?? 0, this.#demand.get(queue) ?? new Map(), priority),
    );
  }
}

/** The share of one run in one queue. */
export function shareOf(
  slots: number,
  demand: ReadonlyMap<number, number>,
  priority: number,
): QueueShare {
  const isBehind = [...demand].some(([other, runs]) => other > priority && runs > 0);
  if (isBehind) return { window: 1, slots: 1 };
  const runs = Math.max(1, demand.get(priority) ?? 1);
  return {
    window: Math.max(1, Math.ceil((2 * slots) / runs)),
    slots: Math.max(1, Math.ceil(slots / runs)),
  };
}
