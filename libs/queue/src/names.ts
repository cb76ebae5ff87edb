import type { Lane } from '@runnel/core';

/** One BullMQ queue for each pool and lane: what only waits must not take slots of what computes. */
export function queueName(pool: string, lane: Lane): string {
  return lane === 'computes' ? pool : `${pool}${waitsSuffix}`;
}

/** The pool and lane behind a queue's name. */
export function parseQueueName(queue: string): { readonly pool: string; readonly lane: Lane } {
  return queue.endsWith(waitsSuffix)
    ? { pool: queue.slice(0, -waitsSuffix.length), lane: 'waits' }
    : { pool: queue, lane: 'computes' };
}

// Pool names have no dot, so the suffix can't clash.
const waitsSuffix = '.waits';

/** BullMQ's keys of one queue share a tag of their own, as a Cluster needs. */
export function queuePrefix(namespace: string, queue: string): string {
  return `${namespace}:{q.${queue}}`;
}

/** What tells one delivery from all others. */
export interface DeliveryKey {
  readonly carrier: number;
  /** Seconds since 1970. */
  readonly cutAtS: number;
}

/**
 * A job id names one delivery for ever. The carrier alone would not: a run store that comes back
 * older than the queue counts carriers a second time, and BullMQ drops an id that it knows.
 */
export function jobId(runId: string, { carrier, cutAtS }: DeliveryKey): string {
  return `${runId}.${carrier}.${cutAtS}`;
}
