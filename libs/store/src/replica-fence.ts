import { Cluster, type Redis } from 'ioredis';
import { parseInfo } from './connect.ts';
import { storeKey } from './keys.ts';
import type { RedisClient } from './script.ts';

/** Who waits longer is told, and tries again: a replica that is gone does not count by then. */
const waitMs = 2_000;
/** Seconds since the last sign of a replica after which it does not keep up. */
const mostLagS = 2;

/** It is not known whether the replicas have what was written: it has to be written, or asked for, again. */
export class NotReplicatedError extends Error {
  override readonly name = 'NotReplicatedError';
}

/** Carries out writes; resolves when they are as safe as the mode promises. */
export interface Fence {
  run<T>(write: () => Promise<T>): Promise<T>;
}

/** For modes in which an answer of Redis is all there is to wait for. */
export const noFence: Fence = { run: (write) => write() };

/**
 * Resolves only once every replica that keeps up, at least one, has what was written, and everything that
 * Redis had then. One of two would not do: Sentinel promotes the one that was furthest when it asked
 * last, up to 5 s ago, and that may be the other (seen once in 20 masters killed under load).
 *
 * `WAIT` counts the replicas that have what came over its own connection, and says nothing of another
 * master's past. So the fence writes a field of its own and waits on the connection of the writes,
 * and distrusts every answer where that connection was a new one in between: after a failover the
 * write may be gone, though a `WAIT` that was sent again finds everything replicated.
 *
 * Whoever comes while a `WAIT` is on its way shares the next one: its cost is one for all that ended
 * meanwhile. It holds up the commands behind it for the time that the replica takes.
 */
export class ReplicaFence implements Fence {
  readonly #redis: Redis;
  readonly #key: string;
  #connection = 0;
  /** Replicas that kept up when Redis was last asked. */
  #wanted = 1;
  #waiting: Promise<Confirmation> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(redis: RedisClient, namespace: string) {
    if (redis instanceof Cluster) throw new Error('a Cluster has no single stream to wait for');
    this.#redis = redis;
    this.#key = storeKey(namespace, 'fence');
    redis.on('close', () => {
      this.#connection++;
    });
  }

  /** @throws NotReplicatedError where it is not known that the replicas have the write. */
  async run<T>(write: () => Promise<T>): Promise<T> {
    const connection = this.#connection;
    const written = await write();
    const { confirmed, wanted } = await this.#wait();
    if (connection !== this.#connection) {
      throw new NotReplicatedError(
        'the connection to Redis broke before its replicas had the write',
      );
    }
    if (confirmed < wanted) {
      throw new NotReplicatedError(
        `${confirmed} of ${wanted} replicas of Redis had the write after ${waitMs} ms`,
      );
    }
    return written;
  }

  #wait(): Promise<Confirmation> {
    if (this.#waiting !== null) return this.#waiting;
    const next = this.#last.then(() => {
      // From here on writes may come after it: they need the one after.
      this.#waiting = null;
      return this.#send();
    });
    this.#waiting = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #send(): Promise<Confirmation> {
    const first = await this.#ask();
    // More replicas keep up than were waited for: they came since.
    return first.confirmed < first.wanted && first.confirmed >= first.asked
      ? await this.#ask()
      : first;
  }

  async #ask(): Promise<Confirmation> {
    const asked = this.#wanted;
    const answers = await this.#redis
      .pipeline()
      .set(this.#key, '')
      .wait(asked, waitMs)
      .info('replication')
      .exec();
    for (const [error] of answers ?? []) if (error !== null) throw error;
    const wanted = Math.max(1, countInSync(String(answers?.[2]?.[1] ?? '')));
    this.#wanted = wanted;
    return { asked, confirmed: Number(answers?.[1]?.[1] ?? 0), wanted };
  }
}

interface Confirmation {
  /** Replicas that were waited for. */
  readonly asked: number;
  readonly confirmed: number;
  /** Replicas that keep up, at least 1. */
  readonly wanted: number;
}

/** Replicas that are online and gave a sign a moment ago, by `INFO replication` of their master. */
export function countInSync(info: string): number {
  return Object.entries(parseInfo(info)).filter(([name, value]) => {
    if (!/^slave\d+$/.test(name)) return false;
    const lag = /(?:^|,)lag=(\d+)/.exec(value)?.[1];
    return value.includes('state=online') && lag !== undefined && Number(lag) <= mostLagS;
  }).length;
}

/** The fence of a mode. */
export function fenceOf(
  redis: RedisClient,
  { durability, namespace }: { readonly durability: string; readonly namespace: string },
): Fence {
  return durability === 'ha' ? new ReplicaFence(redis, namespace) : noFence;
}
