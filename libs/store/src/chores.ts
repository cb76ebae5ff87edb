import type { ChainableCommander } from 'ioredis';
import { shardOf } from './keys.ts';
import type { RedisClient } from './script.ts';

/** Chores wait so long for company: a write to a socket costs more than the command that it carries. */
const flushMs = 10;

/**
 * Commands that nobody waits for (acknowledgements, cleared outboxes, hints to followers), sent
 * together, shard by shard. Each may be lost with its process without harm: what it was to clear
 * away is found again and comes to nothing.
 */
export class Chores implements AsyncDisposable {
  readonly #redis: RedisClient;
  readonly #onError: (error: Error) => void;
  readonly #pipelines = new Map<number, ChainableCommander>();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisClient, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#onError = onError;
  }

  /** Adds commands on keys of a run's shard, or of none. */
  add(runId: string, add: (pipeline: ChainableCommander) => void): void {
    this.addTo(shardOf(runId), add);
  }

  addTo(shard: number, add: (pipeline: ChainableCommander) => void): void {
    const pipeline = this.#pipelines.get(shard) ?? this.#redis.pipeline();
    this.#pipelines.set(shard, pipeline);
    add(pipeline);
    this.#timer ??= setTimeout(() => void this.flush(), flushMs);
  }

  /** Resolves when what was added so far has been answered. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pipelines = [...this.#pipelines.values()];
    this.#pipelines.clear();
    await Promise.all(pipelines.map((pipeline) => this.#send(pipeline)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  async #send(pipeline: ChainableCommander): Promise<void> {
    try {
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) this.#onError(error);
    } catch (error: unknown) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
