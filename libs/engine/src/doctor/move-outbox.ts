import { type RedisClient, type RunInfo, readDeliveries } from '@runnel/store';
import type { Enqueuer } from '../enqueue.ts';

/** Puts every delivery of a run that waits in its outbox into BullMQ. */
export async function moveOutbox(
  redis: RedisClient,
  info: RunInfo,
  enqueuer: Enqueuer,
  now: number,
): Promise<void> {
  const { handle } = info.facts;
  const waiting = new Set(await redis.zrange(handle.names.outbox, '0', '-1'));
  const deliveries = await readDeliveries(redis, handle);
  const entries = deliveries
    .filter(({ carrier }) => waiting.has(String(carrier)))
    .map(({ carrier, group, cutAtS, queue, ids, attempts }) => ({
      ...{ carrier, group, cutAtS, queue, taskCount: ids.length },
      firstId: ids[0] ?? 0,
      firstAttempt: attempts[0] ?? 1,
    }));
  await enqueuer.move(info, entries, now);
}
