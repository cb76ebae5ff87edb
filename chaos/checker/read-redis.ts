import { Redis } from 'ioredis';
import type { Remains, StoredRun } from './evidence.ts';

const shardCount = 32;

/** Keys of a run that must be empty when it has ended, and how their size is asked. */
const emptyAtEnd: Readonly<Record<string, string>> = {
  deliveries: 'HLEN',
  outbox: 'ZCARD',
  backlog: 'LLEN',
};

/** Lists of BullMQ in which a job waits or is carried out. */
const queueLists: Readonly<Record<string, string>> = {
  wait: 'LLEN',
  active: 'LLEN',
  paused: 'LLEN',
  prioritized: 'ZCARD',
  delayed: 'ZCARD',
};

/** Reads the bytes in Redis without any of the product's code. */
export class Store implements Disposable {
  readonly #redis: Redis;
  readonly #namespace: string;

  constructor(url: string, namespace: string) {
    this.#redis = new Redis(url, { maxRetriesPerRequest: 50 });
    this.#redis.on('error', () => undefined); // calls throw by themselves
    this.#namespace = namespace;
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect();
  }

  async readKeys(): Promise<readonly string[]> {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, keys] = await this.#redis.scan(
        cursor,
        'MATCH',
        `${this.#namespace}:*`,
        'COUNT',
        1_000,
      );
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== '0');
    return [...found];
  }

  /** Null where the run has no record. `keys` are all of the store. */
  async readRun(id: string, keys: readonly string[]): Promise<StoredRun | null> {
    const own = keys.filter((key) => key.includes(`:run:${id}:`));
    const prefix = own[0]?.slice(0, own[0].lastIndexOf(':'));
    if (prefix === undefined) return null;
    const [meta, state, tries, outputs, counts] = await Promise.all([
      this.#redis.hgetall(`${prefix}:meta`),
      this.#redis.getBuffer(`${prefix}:state`),
      this.#redis.hgetall(`${prefix}:tries`),
      this.#redis.hgetall(`${prefix}:outputs`),
      this.#redis.hgetall(`${prefix}:counts`),
    ]);
    const leftovers: Record<string, number> = {};
    for (const key of own) {
      const name = key.slice(prefix.length + 1);
      const command = name.startsWith('ready') ? 'LLEN' : emptyAtEnd[name];
      if (command !== undefined) leftovers[name] = Number(await this.#redis.call(command, key));
    }
    return { meta, state: state ?? Buffer.alloc(0), tries, outputs, counts, leftovers };
  }

  /** Work that the store still holds, by what it is. */
  async readRemains(keys: readonly string[]): Promise<Remains> {
    const remains: Record<string, number> = {};
    for (let shard = 0; shard < shardCount; shard++) {
      const tag = `${this.#namespace}:{r${shard}}`;
      const outcomes = `${tag}:outcomes`;
      remains[outcomes] = await this.#redis.xlen(outcomes);
      remains[`${outcomes} pending`] = await this.#readPending(outcomes);
      remains[`${tag}:deadLetters`] = await this.#redis.xlen(`${tag}:deadLetters`);
      for (const name of ['times', 'active', 'submitting']) {
        remains[`${tag}:${name}`] = await this.#redis.zcard(`${tag}:${name}`);
      }
      const demand = await this.#redis.hvals(`${tag}:demand`);
      remains[`${tag}:demand`] = demand.filter((value) => Number(value) !== 0).length;
    }
    for (const key of keys.filter((one) => one.startsWith(`${this.#namespace}:{q.`))) {
      const name = key.slice(key.lastIndexOf(':') + 1);
      const command = queueLists[name];
      if (command !== undefined) remains[key] = Number(await this.#redis.call(command, key));
      if (name === 'lock') remains[key] = 1;
    }
    return remains;
  }

  async #readPending(stream: string): Promise<number> {
    const groups: unknown = await this.#redis.xinfo('GROUPS', stream).catch(() => []);
    if (!Array.isArray(groups)) return 0;
    return groups.reduce((sum: number, group: unknown[]) => {
      return sum + Number(group[group.indexOf('pending') + 1] ?? 0);
    }, 0);
  }
}

/** Keys that stay when no run is there; docs/redis-keys.md calls their lifetime "always", or an hour of `deleted`. */
const lasting = [
  /^[^:]+:\{r\d+\}:(outcomes|runs|demand|lease|deadLetters|deleted)$/,
  /^[^:]+:\{store\}:(store|workers|listeners|workerNumbers)$/,
  // BullMQ keeps the last jobs that ended; its lists were looked at before.
  /^[^:]+:\{q\.[^}]+\}:/,
];

export function findKeysTooMany(keys: readonly string[]): readonly string[] {
  return keys.filter((key) => !lasting.some((pattern) => pattern.test(key)));
}
