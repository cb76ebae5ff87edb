import { shardKey } from '../keys.ts';
import type { RedisClient } from '../script.ts';

/** Ended runs that one step looks at. */
const lookedAtOnce = 1_000;
/** Runs that one call answers with, at most. */
const mostAnswered = 100;

/**
 * Runs of a shard that ended before a time, oldest first, but those with webhooks that are still to be told: what they
 * are told is in their feeds.
 */
export async function readMovable(
  redis: RedisClient,
  namespace: string,
  shard: number,
  before: number,
): Promise<readonly string[]> {
  const ended = shardKey(namespace, shard, 'ended');
  const hooks = shardKey(namespace, shard, 'hooks');
  const found: string[] = [];
  for (let at = 0; found.length < mostAnswered; at += lookedAtOnce) {
    const ids = await redis.zrangebyscore(ended, 0, before, 'LIMIT', at, lookedAtOnce);
    if (ids.length === 0) break;
    const dueAt = await redis.zmscore(hooks, ...ids);
    found.push(...ids.filter((_, index) => typeof dueAt[index] !== 'string'));
    if (ids.length < lookedAtOnce) break;
  }
  return found.slice(0, mostAnswered);
}
