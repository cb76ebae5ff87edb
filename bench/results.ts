import { percentile } from './measure.ts';
import type { Case, Measurement, Verdict } from './workload.ts';

const numbers = [
  'submitS',
  'totalS',
  'tasksPerS',
  'hopMsP50',
  'hopMsP99',
  'redisBytesPerTask',
  'redisCpuS',
  'nodeCpuS',
  'otherCpuPercent',
  'longestScriptMs',
] as const satisfies readonly (keyof Measurement)[];

export type Spread = readonly [least: number, most: number];

/** All runs of one case on one system: medians, and the least and most of each figure. */
export interface Result extends Measurement {
  readonly workload: string;
  readonly case: string;
  readonly system: string;
  readonly n: number;
  readonly runs: number;
  readonly spread: Readonly<Record<string, Spread>>;
}

/** Everything that was measured so far. */
export class Results {
  readonly all: Result[] = [];

  find(caseName: string, system: string): Result | undefined {
    return this.all.find((one) => one.case === caseName && one.system === system);
  }
}

export function summarize(
  what: { readonly workload: string; readonly measured: Case; readonly system: string },
  runs: readonly Measurement[],
): Result {
  const medians: Record<string, number | null> = {};
  const spread: Record<string, Spread> = {};
  for (const name of numbers) {
    const values = runs.map((run) => run[name]).filter((value) => value !== null);
    medians[name] = values.length === 0 ? null : percentile(values, 0.5);
    if (values.length > 0) spread[name] = [Math.min(...values), Math.max(...values)];
  }
  const figures = medianOfEach(runs.map((run) => run.figures));
  for (const name of Object.keys(figures)) {
    const values = runs.map((run) => run.figures[name] ?? Number.NaN);
    spread[name] = [Math.min(...values), Math.max(...values)];
  }
  const slowestRun = runs.toSorted(
    (a, b) => (b.longestScriptMs ?? 0) - (a.longestScriptMs ?? 0),
  )[0];
  return {
    ...(medians as Pick<Measurement, (typeof numbers)[number]>), // each of them was just set
    workload: what.workload,
    case: what.measured.name,
    system: what.system,
    n: what.measured.n,
    runs: runs.length,
    peakRssMb: largestOfEach(runs.map((run) => run.peakRssMb)),
    slowest: slowestRun?.slowest ?? [],
    figures,
    spread,
  };
}

type Found = number | null | undefined;

/** Compares a figure with what it should be; null where it was not measured. */
export function atLeast(what: string, found: Found, target: number): Verdict | null {
  return judge(`${what} ≥`, found, target, (value) => value >= target);
}

/** Compares a figure with what it should be; null where it was not measured. */
export function atMost(what: string, found: Found, target: number): Verdict | null {
  return judge(`${what} ≤`, found, target, (value) => value <= target);
}

function judge(
  what: string,
  found: Found,
  target: number,
  isMet: (value: number) => boolean,
): Verdict | null {
  if (found === null || found === undefined) return null;
  return { target: `${what} ${format(target)}`, found: format(found), isMet: isMet(found) };
}

/** How many times as much; undefined where one is missing. */
export function ratio(
  a: number | null | undefined,
  b: number | null | undefined,
): number | undefined {
  return typeof a === 'number' && typeof b === 'number' && b > 0 ? a / b : undefined;
}

/** At most three figures that mean something. */
export function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

function medianOfEach(
  records: readonly Readonly<Record<string, number>>[],
): Record<string, number> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  const medianOf = (name: string): number =>
    percentile(
      records.flatMap((record) => record[name] ?? []),
      0.5,
    );
  return Object.fromEntries([...names].map((name) => [name, medianOf(name)]));
}

function largestOfEach(
  records: readonly Readonly<Record<string, number>>[],
): Record<string, number> {
  const largest: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      largest[name] = Math.max(largest[name] ?? 0, value);
    }
  }
  return largest;
}
