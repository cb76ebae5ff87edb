import {
  type RedisClient,
  readNewestRuns,
  readRunPlaces,
  readShardAudit,
  type ShardAudit,
} from '@runnel/store';
import { checkPlaces } from './check-places.ts';
import type { Findings } from './finding.ts';

/** The listener's timers run every 100 ms, its reads every 250 ms. */
const overdueMs = 5_000;
const streamLateMs = 15_000;
const runsPerRead = 200;
/** Runs of one shard that are looked for in its sets, newest first. */
const newestRuns = 2_000;

export interface ShardRequest {
  readonly namespace: string;
  readonly shard: number;
  readonly nowMs: number;
  /** Also looks at runs that are in no set of living ones. */
  readonly isThorough: boolean;
}

/** The keys of one shard: its lease, its stream, its times, its demand, its runs. */
export async function checkShard(
  redis: RedisClient,
  request: ShardRequest,
  findings: Findings,
): Promise<ShardAudit> {
  const { namespace, shard, nowMs } = request;
  const audit = await readShardAudit(redis, namespace, shard, nowMs - overdueMs);
  if (audit.owner === null) findings.add('shard-unowned', 'nobody holds its lease', { shard });
  const { oldestEntry } = audit;
  if (oldestEntry !== null && nowMs - Number(oldestEntry.split('-')[0]) > streamLateMs) {
    findings.add('stream-late', `the oldest entry is ${oldestEntry}`, { shard });
  }
  for (const { entryId, runId, reason } of audit.deadLetters) {
    findings.add('dead-letter', `${entryId}: ${reason}`, { shard, run: runId });
  }
  for (const member of audit.overdue) {
    const [, run = '', id = '0'] = member.split(':');
    const task = Number(id);
    findings.add('time-late', member, { shard, run, task, mend: { by: 'times', id: task } });
  }
  await checkRuns(redis, audit, request, findings);
  return audit;
}

async function checkRuns(
  redis: RedisClient,
  audit: ShardAudit,
  { namespace, shard, isThorough }: ShardRequest,
  findings: Findings,
): Promise<void> {
  const newest = isThorough ? await readNewestRuns(redis, namespace, shard, newestRuns) : [];
  const ids = [...new Set([...audit.active, ...audit.submitting, ...newest])];
  const wanted: string[] = [];
  for (let at = 0; at < ids.length; at += runsPerRead) {
    for (const run of await readRunPlaces(redis, namespace, ids.slice(at, at + runsPerRead))) {
      checkPlaces(run, shard, findings);
      wanted.push(...run.wanted.map((queue) => `${queue}@${run.priority}`));
    }
  }
  const { demand } = await readShardAudit(redis, namespace, shard, 0);
  const right = Map.groupBy(wanted, (field) => field);
  for (const field of new Set([...right.keys(), ...Object.keys(demand)])) {
    const seen = demand[field] ?? '';
    const runs = right.get(field)?.length ?? 0;
    // What changed while the runs were read is looked at again later.
    if (Number(seen) === runs || demand[field] !== audit.demand[field]) continue;
    const detail = `${field} is ${Number(seen)}, and ${runs} runs want slots`;
    const mend = { by: 'demand', field, seen, right: runs } as const;
    findings.add('demand-wrong', detail, { shard, queue: field.split('@')[0] ?? '', mend });
  }
}
