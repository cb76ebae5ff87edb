import type { Duplicate, Evidence, Violation } from './evidence.ts';
import {
  findDuplicates,
  findMissingEffects,
  findStartsAfterCancel,
  findUnexplained,
  findWrongOrder,
} from './rules-of-effects.ts';
import {
  findRemains,
  findRunsThatDidNotEnd,
  findWrongCounters,
  findWrongEnds,
} from './rules-of-runs.ts';

export interface Verdict {
  readonly runs: number;
  readonly tasks: number;
  /** Acknowledged runs that are gone. */
  readonly losses: number;
  readonly duplicates: readonly Duplicate[];
  /** Longest time without a sign of any task, while there was always something to do. */
  readonly longestStallMs: number;
  readonly violations: readonly Violation[];
}

export function judge(evidence: Evidence): Verdict {
  const duplicates = findDuplicates(evidence);
  return {
    runs: evidence.runs.length,
    tasks: evidence.runs.reduce((sum, { answer }) => sum + (answer?.taskCount ?? 0), 0),
    losses: evidence.runs.filter(({ answer }) => answer === null).length,
    duplicates,
    longestStallMs: findLongestStall(evidence),
    violations: [
      ...findRunsThatDidNotEnd(evidence),
      ...findWrongEnds(evidence),
      ...findMissingEffects(evidence),
      ...findUnexplained(duplicates),
      ...findWrongOrder(evidence),
      ...findStartsAfterCancel(evidence),
      ...findWrongCounters(evidence),
      ...findRemains(evidence),
    ],
  };
}

function findLongestStall({ trial, events }: Evidence): number {
  const times = events
    .map(({ at }) => at)
    .filter((at) => at >= trial.loadFrom && at <= trial.loadTo)
    .toSorted((a, b) => a - b);
  const marks = [...times, trial.loadTo];
  return Math.max(0, ...times.map((at, index) => (marks[index + 1] ?? at) - at));
}
