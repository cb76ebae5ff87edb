import { shardKey, shardOf } from '../keys.ts';
import type { RedisClient } from '../script.ts';

/** Times of a shard that are looked at: those of other runs stand between. */
const mostTimes = 1_000;

/** When the first delayed task of a run is due; null where it is not among the first of its shard. */
export async function readNextDue(
  redis: RedisClient,
  namespace: string,
  runId: string,
): Promise<{ readonly task: number; readonly at: number } | null> {
  const key = shardKey(namespace, shardOf(runId), 'times');
  const times = await redis.zrange(key, '0', String(mostTimes - 1), 'WITHSCORES');
  for (let index = 0; index < times.length; index += 2) {
    const [, run, task] = (times[index] ?? '').split(':');
    if (run === runId) return { task: Number(task), at: Number(times[index + 1]) };
  }
  return null;
}
