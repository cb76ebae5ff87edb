import { type RedisClient, runHandle } from '@runnel/store';
import { checkService } from './check-service.ts';
import { type Finding, type FindingKind, Findings, findingKinds, keyOf } from './finding.ts';

/** What a listener looks for every minute: a few reads for each shard and active run. */
export const watchedKinds: readonly FindingKind[] = [
  'outbox-late',
  'run-misplaced',
  'demand-wrong',
  'shard-unowned',
  'stream-late',
  'dead-letter',
  'time-late',
  'worker-missing',
];

/** Runs whose outboxes one watch looks at. */
const mostRuns = 1_000;
const lateMs = 2_000;

/** One look at the shards that a listener owns; two of them make a finding. */
export async function watchShards(
  redis: RedisClient,
  request: {
    readonly namespace: string;
    readonly shards: readonly number[];
    readonly nowMs: number;
  },
): Promise<readonly Finding[]> {
  const findings = new Findings(null);
  const audits = await checkService(redis, { ...request, isThorough: false }, findings);
  const runs = audits.flatMap(({ active }) => active).slice(0, mostRuns);
  await Promise.all(
    runs.map(async (run) => {
      const { outbox } = runHandle(request.namespace, run).names;
      const [carrier] = await redis.zrangebyscore(outbox, 0, request.nowMs - lateMs, 'LIMIT', 0, 1);
      if (carrier === undefined) return;
      findings.add('outbox-late', findingKinds['outbox-late'].means, {
        run,
        carrier: Number(carrier),
      });
    }),
  );
  return findings.all;
}

/** How many of each watched kind were seen in both looks. */
export function countSeenTwice(
  first: readonly Finding[],
  second: readonly Finding[],
): ReadonlyMap<FindingKind, number> {
  const seen = new Set(first.map(keyOf));
  const counts = new Map(watchedKinds.map((kind) => [kind, 0]));
  for (const finding of second) {
    if (!seen.has(keyOf(finding))) continue;
    counts.set(finding.kind, (counts.get(finding.kind) ?? 0) + 1);
  }
  return counts;
}
