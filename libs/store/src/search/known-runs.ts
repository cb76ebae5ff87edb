import { shardCount, shardKey } from '../keys.ts';
import { toBytes } from '../replies.ts';
import { shardHandle } from '../run-handle.ts';
import { defineScript, type RedisClient } from '../script.ts';
import type { RunCard } from './run-filter.ts';
import { newestFirst, type RunPosition } from './walk-runs.ts';

/** At so many runs of a shard the digest takes Redis about 2 ms. */
const mostPerShard = 4_096;

export const digestRuns = defineScript('digest-runs', { keys: ['runs', 'ended'] }, (raw) =>
  raw === null ? null : toBytes(raw).toString('latin1'),
);

/** A live run as it was last seen. */
export interface KnownRun extends RunPosition {
  /** Its place in `ended`; null: it has not ended. */
  readonly endedScore: number | null;
  /** Of one that has ended, once it was read: it changes only with that place. */
  card: RunCard | null;
}

interface KnownShard {
  readonly digest: string;
  readonly runs: readonly KnownRun[];
}

/**
 * The live runs of all shards, kept in memory. Each time it is asked, Redis says by a digest which shards are
 * not as they were, and only these are read again: a search looks at ten thousand runs without reading them.
 */
export class KnownRuns {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #shards = new Map<number, KnownShard>();
  #all: readonly KnownRun[] = [];
  /** A shard was read that is not among all of them so far. */
  #isBehind = false;

  constructor(redis: RedisClient, namespace: string) {
    this.#redis = redis;
    this.#namespace = namespace;
  }

  /** All of them, newest first; null where they are too many to be kept. */
  async read(): Promise<readonly KnownRun[] | null> {
    const shards = [...Array(shardCount).keys()];
    const fits = await Promise.all(shards.map((shard) => this.#refresh(shard)));
    if (fits.includes(false)) {
      this.#shards.clear();
      this.#isBehind = true;
      return null;
    }
    // Also where another search has read the shard meanwhile.
    if (this.#isBehind) {
      this.#isBehind = false;
      this.#all = shards.flatMap((shard) => this.#shards.get(shard)?.runs ?? []).sort(newestFirst);
    }
    return this.#all;
  }

  /** False where the shard has too many. */
  async #refresh(shard: number): Promise<boolean> {
    const { keys } = shardHandle(this.#namespace, shard);
    const digest = await digestRuns.run(this.#redis, keys, [mostPerShard]);
    if (digest === null) return false;
    const known = this.#shards.get(shard);
    if (known?.digest === digest) return true;
    // What changes after the digest was taken is seen with the next one, which is another one then.
    this.#shards.set(shard, { digest, runs: await this.#readShard(shard, known?.runs ?? []) });
    this.#isBehind = true;
    return true;
  }

  async #readShard(shard: number, known: readonly KnownRun[]): Promise<readonly KnownRun[]> {
    const [runs, ends] = await Promise.all([
      this.#redis.zrange(shardKey(this.#namespace, shard, 'runs'), '0', '-1', 'WITHSCORES'),
      this.#redis.zrange(shardKey(this.#namespace, shard, 'ended'), '0', '-1', 'WITHSCORES'),
    ]);
    const ended = new Map(pairsOf(ends));
    const before = new Map(known.map((run) => [run.id, run]));
    return pairsOf(runs).map(([id, createdAt]) => {
      const endedScore = ended.get(id) ?? null;
      const old = before.get(id);
      const isSame = old?.createdAt === createdAt && old.endedScore === endedScore;
      return { id, createdAt, endedScore, card: isSame ? old.card : null };
    });
  }
}

function pairsOf(raw: readonly string[]): readonly (readonly [string, number])[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [
    raw[index * 2] ?? '',
    Number(raw[index * 2 + 1]),
  ]);
}
