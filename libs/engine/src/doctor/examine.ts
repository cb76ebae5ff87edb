import { NotFoundError } from '@runnel/core';
import { type RedisClient, readRunFacts, readRunPlaces, shardOf } from '@runnel/store';
import { checkBacklog } from './check-backlog.ts';
import { checkCounts } from './check-counts.ts';
import { checkDelayed } from './check-delayed.ts';
import { checkDeliveries } from './check-deliveries.ts';
import { checkJobs, type JobLookup } from './check-jobs.ts';
import { checkOutbox } from './check-outbox.ts';
import { checkPlaces } from './check-places.ts';
import { checkReady, placesOf } from './check-ready.ts';
import { checkService } from './check-service.ts';
import { checkStates } from './check-states.ts';
import { checkTasks } from './check-tasks.ts';
import { Findings } from './finding.ts';
import { lookAt } from './run-look.ts';

export interface DoctorContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly jobs: JobLookup;
  now(): number;
}

/** What one look found. */
export interface Examination {
  readonly runs: number;
  readonly findings: Findings['all'];
  readonly unchecked: readonly string[];
  readonly omitted: number;
  /** Repairs that had been made of each run when it was read. */
  readonly repairs: ReadonlyMap<string, number>;
}

/** Runs that one examination of everything looks into; the others are named as unchecked. */
const mostRuns = 1_000;

/** Looks at one run. Throws NotFoundError where there is none. */
export async function examineRun(context: DoctorContext, id: string): Promise<Examination> {
  const { redis, namespace } = context;
  const findings = new Findings(id);
  const facts = await readRunFacts(redis, namespace, id);
  const look = await lookAt(redis, facts, context.now());
  const [places] = await readRunPlaces(redis, namespace, [id]);
  if (places !== undefined) checkPlaces(places, shardOf(id), findings);
  const isEdited = look?.before.meta['editing'] ?? look?.now.meta['editing'];
  if (isEdited !== undefined) {
    findings.unchecked.push(`run ${id}: what is in it, since it is being edited`);
  } else if (look !== null) {
    const where = placesOf(look);
    checkCounts(look, findings);
    checkStates(look, where, findings);
    const early = await checkTasks(redis, look, where, findings);
    checkReady(look, where, early, findings);
    checkDeliveries(look, findings);
    checkBacklog(look, findings);
    checkOutbox(look, findings);
    await checkJobs(redis, look, context.jobs, findings);
    await checkDelayed(redis, look, findings);
  }
  const { all, unchecked, omitted } = findings;
  const repairs = new Map([[id, Number(look?.now.meta['repairs'] ?? 0)]]);
  return { runs: 1, findings: all, unchecked, omitted, repairs };
}

/** Looks at the whole service and at every run that has not ended. */
export async function examineAll(context: DoctorContext): Promise<Examination> {
  const { redis, namespace } = context;
  const service = new Findings(null);
  const request = { namespace, nowMs: context.now(), isThorough: true };
  const audits = await checkService(redis, request, service);
  const ids = audits.flatMap(({ active }) => active);
  const findings = [...service.all];
  const unchecked = [...service.unchecked];
  const repairs = new Map<string, number>();
  let { omitted } = service;
  for (const id of ids.slice(0, mostRuns)) {
    const one = await examineRun(context, id).catch(ignoreGone);
    if (one === null) continue;
    // Where it is was seen with its shard.
    findings.push(...one.findings.filter(({ kind }) => kind !== 'run-misplaced'));
    unchecked.push(...one.unchecked);
    omitted += one.omitted;
    for (const [run, count] of one.repairs) repairs.set(run, count);
  }
  if (ids.length > mostRuns) unchecked.push(`${ids.length - mostRuns} runs beyond ${mostRuns}`);
  return { runs: Math.min(ids.length, mostRuns), findings, unchecked, omitted, repairs };
}

/** A run may be deleted between two reads. */
function ignoreGone(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}
