import { Cluster, type Redis } from 'ioredis';
import { storeKey } from './keys.ts';
import type { RedisClient } from './script.ts';

/** Replicas that must have a write before it is acknowledged. */
const replicas = 1;
/** A replica that lags longer is of no help: who waits is told, and tries again. */
const waitMs = 2_000;

/** It is not known whether a replica has what was written: it has to be written, or asked for, again. */
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
 * Resolves only once a replica has what was written, and everything that Redis had then.
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
  #waiting: Promise<number> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(redis: RedisClient, namespace: string) {
    if (redis instanceof Cluster) throw new Error('a Cluster has no single stream to wait for');
    this.#redis = redis;
    this.#key = storeKey(namespace, 'fence');
    redis.on('close', () => {
      this.#connection++;
    });
  }

  /** @throws NotReplicatedError where no replica is known to have the write. */
  async run<T>(write: () => Promise<T>): Promise<T> {
    const connection = this.#connection;
    const written = await write();
    const count = await this.#wait();
    if (connection !== this.#connection) {
      throw new NotReplicatedError('the connection to Redis broke before a replica had the write');
    }
    if (count < replicas) {
      throw new NotReplicatedError(`no replica of Redis had the write after ${waitMs} ms`);
    }
    return written;
  }

  #wait(): Promise<number> {
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

  async #send(): Promise<number> {
    const answers = await this.#redis.pipeline().set(this.#key, '').wait(replicas, waitMs).exec();
    for (const [error] of answers ?? []) if (error !== null) throw error;
    return Number(answers?.[1]?.[1] ?? 0);
  }
}

/** The fence of a mode. */
export function fenceOf(
  redis: RedisClient,
  { durability, namespace }: { readonly durability: string; readonly namespace: string },
): Fence {
  return durability === 'ha' ? new ReplicaFence(redis, namespace) : noFence;
}
