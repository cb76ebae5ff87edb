import {
  freeShard,
  leaseMs,
  leaseShard,
  openOutcomes,
  type RedisClient,
  shardCount,
  signOffListener,
  signOnListener,
} from '@runnel/store';

/**
 * The shards that this listener owns: its part of all, by leases. A lease that was not renewed in
 * time is given up here before another may take it; that two own a shard for a moment does no harm.
 */
export class ShardLeases {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #name: string;
  readonly #owned = new Map<number, number>();
  /** Shards just taken: their pending entries come first. */
  readonly #fresh = new Set<number>();

  constructor(redis: RedisClient, namespace: string, name: string) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** Shards whose lease is still good. */
  owned(): readonly number[] {
    const now = performance.now();
    return [...this.#owned].filter(([, at]) => now - at < leaseMs).map(([shard]) => shard);
  }

  /** Shards whose pending entries must be read before new ones; each is told once. */
  takeFresh(): readonly number[] {
    const fresh = this.owned().filter((shard) => this.#fresh.has(shard));
    for (const shard of fresh) this.#fresh.delete(shard);
    return fresh;
  }

  /** Has the pending entries of a shard read (again). */
  readPendingAgain(shard: number): void {
    this.#fresh.add(shard);
  }

  /** Makes the streams of owned shards where they are gone: Redis came back empty, or was flushed. */
  async openAgain(): Promise<void> {
    for (const shard of this.owned()) await openOutcomes(this.#redis, this.#namespace, shard);
  }

  /** Renews what is owned and takes free shards up to this listener's part; every second. */
  async renew(now: number): Promise<void> {
    const listeners = await signOnListener(this.#redis, this.#namespace, this.#name, now);
    const part = Math.ceil(shardCount / listeners);
    for (const shard of [...this.#owned.keys()].slice(part)) await this.#free(shard);
    await Promise.all([...this.#owned.keys()].map((shard) => this.#lease(shard)));
    // From a place of its own, so that listeners which start together do not queue for the same.
    const start = Math.floor(Math.random() * shardCount);
    for (let step = 0; step < shardCount && this.#owned.size < part; step++) {
      const shard = (start + step) % shardCount;
      if (!this.#owned.has(shard)) await this.#lease(shard);
    }
  }

  async freeAll(): Promise<void> {
    for (const shard of [...this.#owned.keys()]) await this.#free(shard);
    await signOffListener(this.#redis, this.#namespace, this.#name);
  }

  async #lease(shard: number): Promise<void> {
    const asked = performance.now();
    if (!(await leaseShard(this.#redis, this.#namespace, shard, this.#name))) {
      this.#owned.delete(shard);
      return;
    }
    if (!this.#owned.has(shard)) {
      await openOutcomes(this.#redis, this.#namespace, shard);
      this.#fresh.add(shard);
    }
    this.#owned.set(shard, asked);
  }

  async #free(shard: number): Promise<void> {
    this.#owned.delete(shard);
    await freeShard(this.#redis, this.#namespace, shard, this.#name);
  }
}
