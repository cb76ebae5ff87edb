import { failpoint } from '@runnel/core';
import type { DeliveryQueues } from '@runnel/queue';
import {
  compareEntryIds,
  type Delivery,
  type OpenRunHandle,
  type RedisClient,
  readDeliveries,
  readOutcomesPosition,
  reissue,
  shardOf,
} from '@runnel/store';

/** A delivery is looked after when it is this old: by then BullMQ has it, or never will. */
const suspectAfterS = 10;

interface Suspect {
  readonly token: string;
  /** The last entry of the shard's stream when BullMQ did not know the carrier any more. */
  readonly position: string;
}

/**
 * Finds deliveries that BullMQ has lost. A carrier that is neither waiting nor active may still have
 * outcomes in the stream: it counts as lost only when everything that stood there at that moment
 * has been settled since. What is remembered here is only a hint; after a restart it is found anew.
 */
export class LostDeliveries {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #queues: DeliveryQueues;
  readonly #suspects = new Map<string, Suspect>();

  constructor(options: {
    readonly redis: RedisClient;
    readonly namespace: string;
    readonly queues: DeliveryQueues;
  }) {
    this.#redis = options.redis;
    this.#namespace = options.namespace;
    this.#queues = options.queues;
  }

  /** Looks after one run; returns how many deliveries got a new carrier. */
  async check(run: OpenRunHandle, now: number): Promise<number> {
    const old = (await readDeliveries(this.#redis, run)).filter(
      ({ cutAtS }) => now / 1000 - cutAtS > suspectAfterS,
    );
    if (old.length === 0) return 0;
    const lost = await this.#findLost(run, old);
    if (lost.length === 0) return 0;
    const position = await readOutcomesPosition(this.#redis, this.#namespace, shardOf(run.id));
    let count = 0;
    for (const delivery of lost) {
      if (!this.#isSettledSince(run, delivery, position)) continue;
      await failpoint('lost.before-reissue');
      if ((await reissue(this.#redis, run, delivery, now)) > 0) count++;
      await failpoint('lost.after-reissue');
    }
    return count;
  }

  async #findLost(run: OpenRunHandle, old: readonly Delivery[]): Promise<readonly Delivery[]> {
    const unmoved = await this.#redis.zrange(run.names.outbox, '0', '-1');
    const moved = old.filter(({ carrier }) => !unmoved.includes(String(carrier)));
    const lost: Delivery[] = [];
    for (const [number, queue] of run.queues.entries()) {
      const here = moved.filter((delivery) => delivery.queue === number);
      const gone = new Set(await this.#queues.findLost(queue, run.id, here));
      for (const delivery of here) {
        if (gone.has(delivery.carrier)) lost.push(delivery);
        else this.#suspects.delete(`${run.id}.${delivery.carrier}`);
      }
    }
    return lost;
  }

  #isSettledSince(
    run: OpenRunHandle,
    delivery: Delivery,
    position: { readonly last: string; readonly oldest: string | null },
  ): boolean {
    const key = `${run.id}.${delivery.carrier}`;
    const token = delivery.token.toString('hex');
    const suspect = this.#suspects.get(key);
    if (suspect?.token !== token) {
      this.#suspects.set(key, { token, position: position.last });
      return false;
    }
    const isSettled =
      position.oldest === null || compareEntryIds(position.oldest, suspect.position) > 0;
    if (isSettled) this.#suspects.delete(key);
    return isSettled;
  }
}
