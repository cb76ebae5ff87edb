import { stateCode } from '../packed.ts';
import type { RunInfo } from '../run-info.ts';
import type { RedisClient } from '../script.ts';

/** State bytes that one read brings, and reads of one search. */
const codesPerRead = 262_144;
const mostReads = 16;

/** The first failed task of each of these groups; a group that the search does not reach is left out. */
export async function findFailed(
  redis: RedisClient,
  info: RunInfo,
  groups: ReadonlySet<number>,
): Promise<ReadonlyMap<number, number>> {
  const ranges = await info.ranges();
  const window = new StateWindow(redis, info);
  const found = new Map<number, number>();
  for (let index = 0; index < ranges.length && found.size < groups.size; index += 2) {
    const group = ranges[index + 1] ?? 0;
    if (!groups.has(group) || found.has(group)) continue;
    const stop = ranges[index + 2] ?? info.facts.nodeCount;
    const at = await window.findFailed(ranges[index] ?? 0, stop);
    if (at === null) break;
    if (at < stop) found.set(group, at);
  }
  return found;
}

/** State bytes, read forwards. */
class StateWindow {
  readonly #redis: RedisClient;
  readonly #key: string;
  #first = 0;
  #codes: Buffer = Buffer.alloc(0);
  #reads = 0;

  constructor(redis: RedisClient, info: RunInfo) {
    this.#redis = redis;
    this.#key = info.facts.handle.names.state;
  }

  /** The first failed node in a span; `to` where there is none, null where no more is read. */
  async findFailed(from: number, to: number): Promise<number | null> {
    for (let at = from; at < to; ) {
      if (at >= this.#first + this.#codes.length) {
        if (this.#reads === mostReads) return null;
        this.#reads++;
        this.#first = at;
        this.#codes = await this.#redis.getrangeBuffer(this.#key, at, at + codesPerRead - 1);
        if (this.#codes.length === 0) return to;
      }
      const found = this.#codes.indexOf(stateCode.failed, at - this.#first);
      if (found >= 0 && this.#first + found < to) return this.#first + found;
      at = this.#first + this.#codes.length;
    }
    return to;
  }
}
