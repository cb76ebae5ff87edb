import { readDeliveries } from '../deliveries.ts';
import type { Delivery } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

/** What moves of a run, without its tasks: a few reads, whatever its size. */
export interface RunMoment {
  readonly meta: Readonly<Record<string, string>>;
  readonly deliveries: readonly Delivery[];
  /** Carriers that are not in BullMQ yet. */
  readonly outbox: ReadonlySet<number>;
  readonly backlog: number;
  /** When it wrote its last page, or expires; null where it is neither being submitted nor only created. */
  readonly submittingAt: number | null;
}

export async function readMoment(redis: RedisClient, run: RunHandle): Promise<RunMoment> {
  const { names } = run;
  const [meta, deliveries, outbox, backlog, submitting] = await Promise.all([
    redis.hgetall(names.meta),
    readDeliveries(redis, run),
    redis.zrange(names.outbox, '0', '-1'),
    redis.llen(names.backlog),
    redis.zscore(names.submitting, run.id),
  ]);
  return {
    meta,
    deliveries,
    outbox: new Set(outbox.map(Number)),
    backlog,
    submittingAt: submitting === null ? null : Number(submitting),
  };
}
