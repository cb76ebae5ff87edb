import type { Plan, Steps } from '@runnel/core';
import { type Simulation, type SimulationOptions, simulate } from './simulate.ts';

/** What was tried, and how long the run would take then. */
export type Advice =
  | {
      readonly kind: 'slots';
      readonly queue: string;
      readonly slots: number;
      readonly makespanMs: number;
    }
  | { readonly kind: 'class'; readonly class: string; readonly makespanMs: number }
  | { readonly kind: 'unlimited'; readonly makespanMs: number };

/** Less than this is no advice. */
const worthwhile = 0.99;
/** More slots than any run has tasks. */
const plenty = 1 << 24;

/**
 * What would shorten a run, each simulated with the same luck: twice the slots of the busiest queue for
 * which tasks waited, half the duration of the class that takes most of the path, and, as the bound that no
 * number of workers passes, slots without limit.
 */
export function* adviseOn(
  plan: Plan,
  options: SimulationOptions,
  { makespanMs, pools, path }: Simulation,
): Steps<readonly Advice[]> {
  const found: Advice[] = [];
  const [busiest] = pools
    .filter(({ peakWaiting }) => peakWaiting > 0)
    .sort((one, other) => other.utilization - one.utilization);
  if (busiest !== undefined) {
    const { queue } = busiest;
    const slots = busiest.slots * 2;
    const slotsOf = (name: string): number => (name === queue ? slots : options.slotsOf(name));
    const changed = yield* simulate(plan, { ...options, slotsOf });
    found.push({ kind: 'slots', queue, slots, makespanMs: changed.makespanMs });
  }
  const slowest = slowestClass(path);
  if (slowest !== undefined) {
    const changed = yield* simulate(plan, { ...options, estimates: halved(options, slowest) });
    found.push({ kind: 'class', class: slowest, makespanMs: changed.makespanMs });
  }
  if (busiest !== undefined) {
    const changed = yield* simulate(plan, { ...options, slotsOf: () => plenty });
    found.push({ kind: 'unlimited', makespanMs: changed.makespanMs });
  }
  return found.filter((advice) => advice.makespanMs < makespanMs * worthwhile);
}

function slowestClass(path: Simulation['path']): string | undefined {
  const spent = new Map<string, number>();
  for (const part of path) spent.set(part.class, (spent.get(part.class) ?? 0) + part.runMs);
  const [slowest] = [...spent].sort(([, one], [, other]) => other - one);
  return slowest?.[0];
}

function halved({ estimates }: SimulationOptions, name: string): SimulationOptions['estimates'] {
  return {
    ...estimates,
    failureRate: (className) => estimates.failureRate(className),
    duration: (className) => {
      const own = estimates.duration(className);
      return className === name ? { p50Ms: own.p50Ms / 2, p95Ms: own.p95Ms / 2 } : own;
    },
  };
}
