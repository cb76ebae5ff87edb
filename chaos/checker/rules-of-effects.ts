import {
  type Duplicate,
  type Evidence,
  type Fault,
  isTouchedByPowerLoss,
  type RunEvidence,
  type TaskEvent,
  type Violation,
} from './evidence.ts';
import { type Execution, executionsOf, type RunExecutions } from './executions.ts';

/** Each task that ended by its own has an effect with the attempt that counts; others have none. */
export function findMissingEffects(evidence: Evidence): readonly Violation[] {
  const executions = executionsOf(evidence.events);
  return evidence.runs.flatMap(({ id, graph, answer }) => {
    const planned = new Map(graph.map((task) => [task.id, task]));
    return (answer?.tasks ?? []).flatMap((task) => {
      if (!planned.has(task.id)) return [];
      const all = executions.get(id)?.get(task.id) ?? [];
      const ran = task.state === 'succeeded' || task.state === 'failed';
      if (!ran && task.state !== 'cancelled' && all.length > 0) {
        return [
          { rule: 'skipped-tasks-do-nothing', detail: `${id} ${task.id} ran and is ${task.state}` },
        ];
      }
      const counts = all.some(({ attempt, end }) => attempt === task.attempt && end === task.state);
      if (!ran || counts) return [];
      return [
        {
          rule: 'every-task-has-its-effect',
          detail: `${id} ${task.id} is ${task.state} after attempt ${task.attempt}, which did not end so`,
        },
      ];
    });
  });
}

/** A death that can have been behind a second start is at most that far back: locks, checks, a full queue. */
const explainsForMs = 30_000;

/** An outcome that was on its way when the fault came may have been lost with it. */
const onItsWayMs = 3_000;

/** Attempts that were started more than once, each with the fault that it is due to. */
export function findDuplicates(evidence: Evidence): readonly Duplicate[] {
  const found: Duplicate[] = [];
  for (const [run, tasks] of executionsOf(evidence.events)) {
    for (const [task, all] of tasks) {
      for (const attempt of new Set(all.map((one) => one.attempt))) {
        const same = all.filter((one) => one.attempt === attempt);
        if (same.length > 1) {
          const because = causeOf(same, evidence.faults);
          found.push({ run, task, attempt, starts: same.length, ...because });
        }
      }
    }
  }
  return found;
}

type Cause = Pick<Duplicate, 'cause' | 'againAfterMs'>;
const noCause: Cause = { cause: null, againAfterMs: null };

/** The first pair that nothing explains decides. */
function causeOf(same: readonly Execution[], faults: readonly Fault[]): Cause {
  const causes = same.slice(1).map((later, index): Cause => {
    const earlier = same[index];
    const fault = faults.findLast((one) => earlier !== undefined && explains(one, earlier, later));
    if (fault === undefined) return noCause;
    const wasOpen = earlier?.endAt === null;
    return {
      cause: `${fault.fault} ${fault.target}`,
      againAfterMs: wasOpen ? later.startAt - fault.from : null,
    };
  });
  return causes.find(({ cause }) => cause === null) ?? causes[0] ?? noCause;
}

/** Listeners and the api carry nothing out, so their death must never start a task twice. */
const carriesTasks = ['worker', 'redis', 'network'];

function explains(fault: Fault, earlier: Execution, later: Execution): boolean {
  if (!carriesTasks.includes(fault.target)) return false;
  // Either start may be the victim's: what was frozen can go on after others have taken over. A command
  // has a pid of its own, not its worker's.
  const isOfOthers = fault.pid !== null && fault.pid !== earlier.pid && fault.pid !== later.pid;
  if (isOfOthers && earlier.inWorker) return false;
  const lastsUntil = (earlier.endAt ?? Number.POSITIVE_INFINITY) + onItsWayMs;
  return (
    fault.from <= later.startAt &&
    fault.to + explainsForMs >= later.startAt &&
    fault.to >= earlier.startAt - onItsWayMs &&
    fault.from <= lastsUntil
  );
}

export function findUnexplained(duplicates: readonly Duplicate[]): readonly Violation[] {
  return duplicates
    .filter(({ cause }) => cause === null)
    .map(({ run, task, attempt, starts }) => ({
      rule: 'once-without-a-fault',
      detail: `${run} ${task} attempt ${attempt} was started ${starts} times, and no fault touched it`,
    }));
}

/** No child begins before the accepted ends of its parents, and it sees their outputs and no others. */
export function findWrongOrder(evidence: Evidence): readonly Violation[] {
  const executions = executionsOf(evidence.events);
  return evidence.runs.flatMap((run) => {
    const own = executions.get(run.id) ?? new Map<string, readonly Execution[]>();
    const lastAt = lastEvent(own);
    if (run.stored === null) return []; // that it is gone is told by another rule
    if (isTouchedByPowerLoss(evidence.trial, run.ackAt, lastAt)) return [];
    const accepted = acceptedNonces(run);
    return [
      ...run.graph.flatMap((task) => findEarlyStart(run, task.id, own)),
      ...findStrangeInputs(run, own, accepted),
      ...findUnknownOutputs(run, own, accepted),
    ];
  });
}

function findEarlyStart(run: RunEvidence, id: string, own: RunExecutions): readonly Violation[] {
  const first = Math.min(...(own.get(id) ?? []).map(({ startLine }) => startLine));
  const accepted = acceptedNonces(run);
  const attempts = new Map(run.answer?.tasks.map((task) => [task.id, task]));
  const planned = run.graph.find((task) => task.id === id);
  return (planned?.parents ?? []).flatMap((parent) => {
    const counts = attempts.get(parent);
    if (counts?.state !== 'succeeded' && counts?.state !== 'failed') return [];
    const nonce = accepted.get(parent);
    const ends = (own.get(parent) ?? []).filter(
      ({ attempt, nonce: own }) =>
        attempt === counts.attempt && (nonce === undefined || nonce === own),
    );
    const ended = Math.min(...ends.map(({ endLine }) => endLine ?? Number.POSITIVE_INFINITY));
    if (first >= ended || first === Number.POSITIVE_INFINITY) return [];
    return [{ rule: 'children-wait', detail: `${run.id} ${id} began before ${parent} had ended` }];
  });
}

/** Which start of each task is the one whose output was taken. */
function acceptedNonces({ answer, stored }: RunEvidence): ReadonlyMap<string, string> {
  const ids = new Map(answer?.tasks.map((task) => [task.number, task.id]));
  const nonces = new Map<string, string>();
  for (const [number, json] of Object.entries(stored?.outputs ?? {})) {
    const id = ids.get(Number(number));
    const nonce = /"nonce":"([^"]+)"/.exec(json)?.[1];
    if (id !== undefined && nonce !== undefined) nonces.set(id, nonce);
  }
  return nonces;
}

function findUnknownOutputs(
  run: RunEvidence,
  own: RunExecutions,
  accepted: ReadonlyMap<string, string>,
): readonly Violation[] {
  return [...accepted].flatMap(([id, nonce]) => {
    const from = (own.get(id) ?? []).find((one) => one.nonce === nonce && one.end === 'succeeded');
    if (from !== undefined) return [];
    return [
      {
        rule: 'one-accepted-attempt',
        detail: `${run.id} ${id} has an output that none of its starts made`,
      },
    ];
  });
}

function findStrangeInputs(
  run: RunEvidence,
  own: RunExecutions,
  accepted: ReadonlyMap<string, string>,
): readonly Violation[] {
  return [...own].flatMap(([id, all]) =>
    all.flatMap(({ inputs }) =>
      [...inputs]
        .filter(([parent, nonce]) => accepted.get(parent) !== nonce)
        .map(([parent]) => ({
          rule: 'one-accepted-attempt',
          detail: `${run.id} ${id} was given an output of ${parent} that is not the accepted one`,
        })),
    ),
  );
}

/** After a cancel and one lease nothing of the run starts any more. */
export function findStartsAfterCancel(evidence: Evidence): readonly Violation[] {
  const { leaseMs } = evidence.trial;
  const cancelled = new Map(evidence.runs.map((run) => [run.id, run.cancelAt]));
  const isLate = ({ e, run, at, pid }: TaskEvent): boolean => {
    const cancelAt = cancelled.get(run) ?? null;
    if (e !== 'start' || cancelAt === null || at <= cancelAt + leaseMs) return false;
    return !wasFrozen(evidence.faults, pid, at);
  };
  return evidence.events.filter(isLate).map(({ run, task, at }) => ({
    rule: 'nothing-starts-after-cancel',
    detail: `${run} ${task} began ${at - (cancelled.get(run) ?? 0)} ms after the cancel`,
  }));
}

/** What a stopped process was about to do when it was stopped it does as soon as it goes on. */
function wasFrozen(faults: readonly Fault[], pid: number, at: number): boolean {
  return faults.some(
    (one) => one.fault === 'freeze' && one.pid === pid && at >= one.from && at <= one.to + 2_000,
  );
}

function lastEvent(own: RunExecutions): number {
  return Math.max(...[...own.values()].flat().map(({ startAt, endAt }) => endAt ?? startAt));
}
