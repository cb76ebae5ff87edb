import type { BenchArguments } from './arguments.ts';
import { type Result, type Results, summarize } from './results.ts';
import type { Case, Measurement, Workload } from './workload.ts';

/** Smaller sizes say little, but show that everything works. */
const quickDivisor = 10;

export interface Observer {
  /** One run ended, or began. */
  tell(text: string): void;
  /** All runs of a case on one system have ended. */
  receive(result: Result): void;
  /** One of them did not come to a right end; the system's others are left out. */
  fail(what: string, error: unknown): void;
}

/** Measures all cases of a workload, one after another; nothing is measured at the same time. */
export async function runWorkload(
  workload: Workload,
  options: BenchArguments,
  { results, observer }: { readonly results: Results; readonly observer: Observer },
): Promise<void> {
  const scale = (size: number): number => (options.isQuick ? Math.ceil(size / quickDivisor) : size);
  for (const measured of workload.cases(scale)) {
    const runs = await runCase(measured, options, observer);
    for (const [system, measurements] of runs) {
      if (measurements.length === 0) continue;
      const result = summarize({ workload: workload.name, measured, system }, measurements);
      results.all.push(result);
      observer.receive(result);
    }
  }
}

/** Systems take turns, so that what else the machine does meets all of them. */
async function runCase(
  measured: Case,
  options: BenchArguments,
  observer: Observer,
): Promise<ReadonlyMap<string, Measurement[]>> {
  const runs = new Map<string, Measurement[]>();
  for (const system of Object.keys(measured.systems)) {
    if (options.systems.some((wanted) => system.startsWith(wanted))) runs.set(system, []);
  }
  for (let turn = 1; turn <= options.repeat; turn++) {
    for (const [system, measurements] of runs) {
      const what = `${measured.name}, ${system}`;
      observer.tell(`${what}: ${turn} of ${options.repeat}`);
      try {
        const measure = measured.systems[system];
        if (measure !== undefined) measurements.push(await measure());
      } catch (error: unknown) {
        observer.fail(what, error);
        runs.delete(system);
      }
    }
  }
  return runs;
}
