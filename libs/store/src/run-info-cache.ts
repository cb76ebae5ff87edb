import { NotFoundError } from '@runnel/core';
import { kept } from './kept.ts';
import { type RunInfo, readRunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** Enough for the runs that are active at once; each takes at most a few MB. */
const keptRuns = 256;

/** Infos of the runs that a process works on; the least recently used go first. */
export class RunInfoCache {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #infos = new Map<string, Promise<RunInfo>>();

  constructor(redis: RedisClient, namespace: string) {
    this.#redis = redis;
    this.#namespace = namespace;
  }

  /** Throws NotFoundError where there is no such run. */
  read(id: string): Promise<RunInfo> {
    return kept(this.#infos, id, keptRuns, () => readRunInfo(this.#redis, this.#namespace, id));
  }

  /** The same; null where there is no such run. That Redis did not answer is no reason to think so. */
  async readIfThere(id: string): Promise<RunInfo | null> {
    try {
      return await this.read(id);
    } catch (error: unknown) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }

  /** The same, read again where what is kept is of a lower shape. */
  async readAt(id: string, shape: number): Promise<RunInfo> {
    const info = await this.read(id);
    if (info.facts.shape >= shape) return info;
    this.forget(id);
    return await this.read(id);
  }

  forget(id: string): void {
    this.#infos.delete(id);
  }
}
