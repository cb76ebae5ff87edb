import { type Evidence, forgottenMs, type RunEvidence, type Violation } from './evidence.ts';
import { expectedEnds } from './expected-ends.ts';

const finalRunStates = ['succeeded', 'failed', 'cancelled'];

/** Every acknowledged run is there, and has ended by its deadline. */
export function findRunsThatDidNotEnd(evidence: Evidence): readonly Violation[] {
  const { trial } = evidence;
  const twice = evidence.keysWithTwoRuns.map((key) => ({
    rule: 'one-run-a-key',
    detail: `${key} was answered with two runs`,
  }));
  const wrong = evidence.runs.flatMap((run) => {
    if (run.answer === null) {
      const isForgotten = trial.powerLosses.some(
        (at) => at >= run.ackAt && at - run.ackAt < forgottenMs,
      );
      return isForgotten
        ? []
        : [{ rule: 'no-run-lost', detail: `${run.id} was acknowledged and is gone` }];
    }
    if (finalRunStates.includes(run.answer.state)) return [];
    const { state, counts } = run.answer;
    return [{ rule: 'every-run-ends', detail: `${run.id} is ${state}: ${JSON.stringify(counts)}` }];
  });
  return [...twice, ...wrong];
}

/** Each task has come to what its plan says; what the client saw as an end is still the end. */
export function findWrongEnds(evidence: Evidence): readonly Violation[] {
  return evidence.runs.flatMap((run) => [...findChangedEnd(run, evidence), ...findWrongTasks(run)]);
}

function findChangedEnd(run: RunEvidence, evidence: Evidence): readonly Violation[] {
  const { seenState, answer } = run;
  if (seenState === null || answer === null || seenState === answer.state) return [];
  if (evidence.trial.powerLosses.length > 0) return [];
  return [{ rule: 'ends-stay', detail: `${run.id} was ${seenState} and is ${answer.state}` }];
}

function findWrongTasks({ id, graph, answer, cancelAt }: RunEvidence): readonly Violation[] {
  // What a cancel catches is chance; the counters and the journal are still checked.
  if (answer === null || cancelAt !== null || graph.length === 0) return [];
  const expected = expectedEnds(graph);
  const tasks = new Map(answer.tasks.map((task) => [task.id, task]));
  return graph.flatMap((planned) => {
    const task = tasks.get(planned.id);
    const want = expected.get(planned.id);
    if (task?.state === want?.state && task?.attempt === want?.attempt) return [];
    const is = `is ${task?.state} after attempt ${task?.attempt}`;
    return [
      {
        rule: 'tasks-end-as-planned',
        detail: `${id} ${planned.id} ${is}, planned: ${want?.state} after attempt ${want?.attempt}`,
      },
    ];
  });
}

/** State bytes, counters of the record and of the groups, and the API tell the same. */
export function findWrongCounters(evidence: Evidence): readonly Violation[] {
  return evidence.runs.flatMap((run) => {
    const { answer, stored } = run;
    if (answer === null || stored === null) return [];
    const bytes = countBytes(run);
    return Object.entries(codes).flatMap(([state, code]) => {
      const counted = {
        bytes: bytes[code] ?? 0,
        api: answer.counts[state] ?? 0,
        meta: Number(stored.meta[`c${code}`] ?? 0),
        groups: sumGroups(stored.counts, code),
        listed: answer.tasks.filter((task) => task.state === state).length,
      };
      if (new Set(Object.values(counted)).size === 1) return [];
      return [{ rule: 'counters-agree', detail: `${run.id} ${state}: ${JSON.stringify(counted)}` }];
    });
  });
}

/** Of the state byte; the rest of a run's nodes are barriers, which are not counted. */
const codes = { succeeded: 2, failed: 3, skipped: 4, 'upstream-failed': 5, cancelled: 6 } as const;

function countBytes({ answer, stored }: RunEvidence): Readonly<Record<number, number>> {
  const counted: Record<number, number> = {};
  for (const { number } of answer?.tasks ?? []) {
    const code = stored?.state[number] ?? 0;
    counted[code] = (counted[code] ?? 0) + 1;
  }
  return counted;
}

function sumGroups(counts: Readonly<Record<string, string>>, code: number): number {
  return Object.entries(counts)
    .filter(([field]) => field.endsWith(`:${code}`))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Nothing is left to do, and nothing is left over. */
export function findRemains(evidence: Evidence): readonly Violation[] {
  const ofRuns = evidence.runs.flatMap(({ id, stored }) =>
    Object.entries(stored?.leftovers ?? {})
      .filter(([, size]) => size !== 0)
      .map(([name, size]) => ({
        rule: 'nothing-remains',
        detail: `${id}: ${name} holds ${size}`,
      })),
  );
  const ofStore = Object.entries(evidence.remains)
    .filter(([, size]) => size !== 0)
    .map(([name, size]) => ({ rule: 'nothing-remains', detail: `${name} holds ${size}` }));
  const keys = evidence.keysAfter.map((key) => ({
    rule: 'keys-go-with-their-run',
    detail: `${key} is there after every run was deleted`,
  }));
  const processes = evidence.processes.map((one) => ({
    rule: 'no-process-left',
    detail: one,
  }));
  return [...ofRuns, ...ofStore, ...keys, ...processes];
}
