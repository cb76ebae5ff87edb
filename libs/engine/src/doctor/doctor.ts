import { setTimeout as sleep } from 'node:timers/promises';
import { type DoctorContext, type Examination, examineAll, examineRun } from './examine.ts';
import { type Finding, keyOf } from './finding.ts';
import { mendAll } from './repair.ts';

/** Longer than the owner of a shard takes to visit its runs: what is on its way has arrived by then. */
export const settleMs = 2_500;

export interface DoctorRequest {
  /** Default: everything. */
  readonly runId?: string;
  /** Between the two looks. Default: `settleMs`. */
  readonly settleMs?: number;
}

/**
 * Checks what must hold of runs and of the service. A run goes on while it is read, so only what is
 * seen twice and unchanged counts.
 */
export async function diagnose(
  context: DoctorContext,
  request: DoctorRequest = {},
): Promise<Examination> {
  const first = await look(context, request);
  if (first.findings.length === 0) return first;
  await sleep(request.settleMs ?? settleMs);
  const second = await look(context, request);
  const seen = new Set(first.findings.map(keyOf));
  return { ...second, findings: second.findings.filter((finding) => seen.has(keyOf(finding))) };
}

/** Rounds of a repair: one may uncover what the next mends, and takes at most 10,000 of a kind. */
const mostRounds = 200;

export interface Treatment {
  /** What was found at first. */
  readonly found: Examination;
  /** What is left. */
  readonly left: Examination;
  /** Steps that were taken. */
  readonly mended: number;
}

/** Finds what is wrong and mends it, while runs go on. Again on a healthy run it does nothing. */
export async function treat(
  context: RepairContext,
  request: DoctorRequest = {},
): Promise<Treatment> {
  const found = await diagnose(context, request);
  const confirmed = new Set(found.findings.map(subjectOf));
  let current: Pick<Examination, 'findings' | 'repairs'> = found;
  let mended = 0;
  for (let round = 0; round < mostRounds && current.findings.length > 0; round++) {
    const steps = await mendAll(context, current);
    mended += steps;
    if (steps === 0) break;
    const next = await look(context, request);
    const again = next.findings.filter((one) => confirmed.has(subjectOf(one)) && isUncovered(one));
    current = { findings: again, repairs: next.repairs };
  }
  const left = found.findings.length === 0 ? found : await diagnose(context, request);
  return { found, left, mended };
}

/** A repair of a run may uncover more in the same run. */
function subjectOf({ run, shard }: Finding): string {
  return run ?? `shard ${shard}`;
}

/** What a step uncovered was wrong before, and needs no second look; but BullMQ's jobs come and go. */
function isUncovered({ mend }: Finding): boolean {
  return mend !== null && mend.by !== 'reissue' && mend.by !== 'move-outbox' && mend.by !== 'turn';
}

function look(context: DoctorContext, { runId }: DoctorRequest): Promise<Examination> {
  return runId === undefined ? examineAll(context) : examineRun(context, runId);
}

export interface RepairContext extends DoctorContext {
  /** Puts deliveries of a run that are not in BullMQ there. */
  moveOutbox(runId: string): Promise<void>;
}
