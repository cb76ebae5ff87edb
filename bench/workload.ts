import type { Results } from './results.ts';

/** What one run of a workload on one system came to; null: not measured, or the system has none. */
export interface Measurement {
  readonly submitS: number | null;
  readonly totalS: number | null;
  readonly tasksPerS: number | null;
  readonly hopMsP50: number | null;
  readonly hopMsP99: number | null;
  /** By process; several of one kind: the largest. */
  readonly peakRssMb: Readonly<Record<string, number>>;
  readonly redisBytesPerTask: number | null;
  readonly redisCpuS: number | null;
  readonly nodeCpuS: number | null;
  /** Of the machine, by all else: how much a figure was disturbed. */
  readonly otherCpuPercent: number | null;
  readonly longestScriptMs: number | null;
  /** The slowest commands of Redis: milliseconds and what it was. */
  readonly slowest: readonly string[];
  /** What only this workload measures. */
  readonly figures: Readonly<Record<string, number>>;
}

export const nothingMeasured: Measurement = {
  submitS: null,
  totalS: null,
  tasksPerS: null,
  hopMsP50: null,
  hopMsP99: null,
  peakRssMb: {},
  redisBytesPerTask: null,
  redisCpuS: null,
  nodeCpuS: null,
  otherCpuPercent: null,
  longestScriptMs: null,
  slowest: [],
  figures: {},
};

/** One size of a workload, on several systems that take turns. */
export interface Case {
  /** Such as `W3 20×500`. */
  readonly name: string;
  readonly n: number;
  /** By name; those that begin with `bullmq` or `make` are measured only on request. */
  readonly systems: Readonly<Record<string, () => Promise<Measurement>>>;
}

/** What a workload is held to. */
export interface Verdict {
  readonly target: string;
  readonly found: string;
  readonly isMet: boolean;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Only when it is named. */
  readonly isLong?: boolean;
  /** `scale` takes a size of the full workload to that of this run. */
  cases(scale: (size: number) => number): readonly Case[];
  judge?(results: Results): readonly (Verdict | null)[];
}
