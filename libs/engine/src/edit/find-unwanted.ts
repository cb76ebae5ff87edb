import type { RedisClient } from '@runnel/store';
import type { WatchedDelivery } from '../worker-context.ts';

/** Deliveries that their runs have closed since they were claimed, of runs whose shape has changed since. */
export async function findUnwanted(
  redis: RedisClient,
  watched: readonly WatchedDelivery[],
): Promise<readonly WatchedDelivery[]> {
  const shapes = await Promise.all(watched.map(({ run }) => redis.hget(run.names.meta, 'shape')));
  const changed = watched.filter(({ shape }, index) => Number(shapes[index] ?? 0) > shape);
  const records = await Promise.all(
    changed.map(({ run, carrier }) => redis.hgetBuffer(run.names.deliveries, String(carrier))),
  );
  return changed.filter(({ token }, index) => {
    const record = records[index];
    return !record?.subarray(0, token.length).equals(token);
  });
}
