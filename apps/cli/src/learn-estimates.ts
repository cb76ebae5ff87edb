import type { Client, WireClassStatistics } from '@runnel/client';
import { UsageError } from './exit-codes.ts';
import type { LearntEstimates } from './plan-assumptions.ts';

/** Runs that are learnt from: the newest. */
const mostRuns = 20;

export interface Learnt extends LearntEstimates {
  /** What was learnt from, for people. */
  readonly source: string;
}

/**
 * What the last runs of a name took, from a server.
 *
 * @throws UsageError where none has ended
 */
export async function learnEstimates(client: Client, name: string): Promise<Learnt> {
  const { runs, since, classes } = await client.getHistory({ name, runs: mostRuns });
  if (runs === 0) {
    throw new UsageError(`--learn: no run of the name ${JSON.stringify(name)} has ended`);
  }
  const byName = new Map(classes.map((one) => [one.class, one]));
  return {
    duration: (className) => durationsOf(byName.get(className)),
    failureRate: (className) => byName.get(className)?.failureRate ?? undefined,
    source: `${runs === 1 ? '1 run' : `${runs} runs`} of ${name} since ${since}`,
  };
}

function durationsOf(
  statistics: WireClassStatistics | undefined,
): { readonly p50Ms: number; readonly p95Ms: number } | undefined {
  const { p50Ms = null, p95Ms = null } = statistics ?? {};
  return p50Ms === null || p95Ms === null ? undefined : { p50Ms, p95Ms };
}
