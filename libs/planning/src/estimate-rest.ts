import { finishInTurns } from '@runnel/core';
import { type RedisClient, type RunInfo, readGroupIndex } from '@runnel/store';
import { type ClassStatistics, readClassStatistics } from './class-statistics.ts';
import { quantileOf } from './duration-histogram.ts';
import type { Durations, Estimates } from './estimates.ts';
import type { PathPart } from './path.ts';
import { simulate } from './simulate.ts';
import { readStoredPlan } from './stored-plan.ts';

/** When a run will have ended, as far as that can be told. */
export interface RestEstimate {
  readonly remainingMs: number;
  /** What the end waits for from now on. */
  readonly path: readonly PathPart[];
  /** Of which nothing is known, from this run or earlier ones: they are taken to be like the others. */
  readonly unmeasured: readonly string[];
}

export interface RestOptions {
  /** The slots that a queue has for this run. */
  slotsOf(queue: string): number;
  /** Of earlier runs: says of a class what this run can't say yet. */
  readonly earlier: readonly ClassStatistics[];
}

/**
 * Plays what is left of a run with what its own attempts took so far, and those of earlier runs. Null: nothing was
 * measured.
 */
export async function estimateRest(
  redis: RedisClient,
  info: RunInfo,
  { slotsOf, earlier }: RestOptions,
): Promise<RestEstimate | null> {
  const { handle, nodeCount } = info.facts;
  const statistics = await readClassStatistics(redis, info);
  const measured = learnFrom(statistics, earlier);
  if (measured === null) return null;
  const [plan, states, index] = await Promise.all([
    readStoredPlan(redis, info),
    redis.getrangeBuffer(handle.names.state, 0, nodeCount - 1),
    readGroupIndex(redis, handle),
  ]);
  const queues = new Map(
    plan.groups.map((group, number) => [group, handle.queues[index[number]?.queue ?? 0] ?? '']),
  );
  const { makespanMs, path } = await finishInTurns(
    simulate(plan, {
      estimates: measured.estimates,
      queueOf: (group) => (group.kind === 'barrier' ? '' : (queues.get(group) ?? '')),
      slotsOf,
      seed: 1,
      states,
    }),
  );
  return { remainingMs: makespanMs, path, unmeasured: measured.unmeasured };
}

interface Learnt {
  readonly estimates: Estimates;
  readonly unmeasured: readonly string[];
}

function learnFrom(
  statistics: readonly ClassStatistics[],
  earlier: readonly ClassStatistics[],
): Learnt | null {
  const durations = new Map<string, Durations>();
  const rates = new Map<string, number>();
  const own = new Set(statistics.map(({ class: name }) => name));
  // What the run says itself comes last, and stands.
  const all = [...earlier.filter(({ class: name }) => own.has(name)), ...statistics];
  for (const { class: name, attempts, failedAttempts, durations: counts } of all) {
    const p50Ms = quantileOf(counts, 0.5);
    const p95Ms = quantileOf(counts, 0.95);
    if (p50Ms !== null && p95Ms !== null) durations.set(name, { p50Ms, p95Ms });
    if (attempts > 0) rates.set(name, failedAttempts / attempts);
  }
  if (durations.size === 0) return null;
  const others = meanOf([...durations.values()]);
  return {
    estimates: {
      duration: (name) => durations.get(name) ?? others,
      failureRate: (name) => rates.get(name) ?? 0,
    },
    unmeasured: statistics.flatMap(({ class: name }) => (durations.has(name) ? [] : [name])),
  };
}

function meanOf(all: readonly Durations[]): Durations {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return { p50Ms: mean(all.map((d) => d.p50Ms)), p95Ms: mean(all.map((d) => d.p95Ms)) };
}
