import { z } from 'zod';
import type { ClassStatistics } from './class-statistics.ts';
import { addCounts, type DurationCounts, middleOf } from './duration-histogram.ts';

const count = z.int().nonnegative();
/** Names and counts in turns would be smaller, but these are compressed. */
const kept = z.array(
  z.object({
    class: z.string(),
    tasks: count,
    attempts: count,
    failedAttempts: count,
    retriedTasks: count,
    durations: z.record(z.string(), count),
  }),
);

/** Statistics of one run as the archive keeps them. */
export function encodeStatistics(classes: readonly ClassStatistics[]): string {
  return JSON.stringify(classes);
}

/** Throws where it is not what `encodeStatistics` gave. */
export function decodeStatistics(text: string): readonly ClassStatistics[] {
  return kept.parse(JSON.parse(text));
}

/** Statistics of several runs as one, in the order in which classes come first. */
export function sumStatistics(
  runs: Iterable<readonly ClassStatistics[]>,
): readonly ClassStatistics[] {
  const byClass = new Map<string, ClassStatistics>();
  for (const one of [...runs].flat()) {
    const known = byClass.get(one.class);
    byClass.set(one.class, known === undefined ? one : sumOf(known, one));
  }
  return [...byClass.values()];
}

function sumOf(one: ClassStatistics, other: ClassStatistics): ClassStatistics {
  return {
    class: one.class,
    tasks: one.tasks + other.tasks,
    attempts: one.attempts + other.attempts,
    failedAttempts: one.failedAttempts + other.failedAttempts,
    retriedTasks: one.retriedTasks + other.retriedTasks,
    durations: addCounts(one.durations, other.durations),
  };
}

/** What an attempt took on average; null where none was measured. */
export function meanOf(counts: DurationCounts): number | null {
  let [attempts, sum] = [0, 0];
  for (const [bucket, times] of Object.entries(counts)) {
    attempts += times;
    sum += times * middleOf(Number(bucket));
  }
  return attempts === 0 ? null : sum / attempts;
}
