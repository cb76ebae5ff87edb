import {
  allShards,
  type RedisClient,
  readListeners,
  readWorkers,
  type ShardAudit,
  sumSlots,
} from '@runnel/store';
import { checkShard } from './check-shard.ts';
import type { Findings } from './finding.ts';

/** A listener signs every second. */
const listenerGoneMs = 5_000;

export interface ServiceRequest {
  readonly namespace: string;
  readonly nowMs: number;
  readonly isThorough: boolean;
  /** Default: all. */
  readonly shards?: readonly number[];
}

/** Listeners, shards and workers. Returns what was read of the shards. */
export async function checkService(
  redis: RedisClient,
  request: ServiceRequest,
  findings: Findings,
): Promise<readonly ShardAudit[]> {
  const { namespace, nowMs } = request;
  const listeners = await readListeners(redis, namespace, nowMs - listenerGoneMs);
  const audits: ShardAudit[] = [];
  for (const shard of request.shards ?? allShards()) {
    audits.push(await checkShard(redis, { ...request, shard }, findings));
  }
  if (listeners.length === 0) {
    findings.drop('shard-unowned');
    findings.add('listener-missing', 'none gave a sign in the last 5 s');
  }
  await checkWorkers(redis, request, audits, findings);
  return audits;
}

async function checkWorkers(
  redis: RedisClient,
  { namespace, nowMs }: ServiceRequest,
  audits: readonly ShardAudit[],
  findings: Findings,
): Promise<void> {
  const slots = sumSlots(await readWorkers(redis, namespace, nowMs));
  const wanted = new Set(
    audits.flatMap(({ demand }) =>
      Object.entries(demand).flatMap(([field, runs]) =>
        Number(runs) > 0 ? [field.split('@')[0] ?? ''] : [],
      ),
    ),
  );
  for (const queue of wanted) {
    if ((slots.get(queue) ?? 0) > 0) continue;
    findings.add('worker-missing', 'runs have ready tasks or deliveries in it', { queue });
  }
}
