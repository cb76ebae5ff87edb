import { layered } from '../graph.ts';
import { atMost, type Result, type Results } from '../results.ts';
import { specOfGraph } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Case, Verdict, Workload } from '../workload.ts';

const width = 1_000;
const names = { small: 'W6 10k', medium: 'W6 100k', large: 'W6 1M', huge: 'W6 10M' };

export const w6: Workload = {
  name: 'W6',
  about: `function tasks in layers of ${width}, 3 random parents each`,
  cases: (scale) => [
    caseOf(names.small, scale(10_000)),
    withBullmq(caseOf(names.medium, scale(100_000)), scale(100_000)),
    caseOf(names.large, scale(1_000_000)),
  ],
  judge(results) {
    const medium = results.find(names.medium, 'runnel');
    const large = results.find(names.large, 'runnel');
    return [
      atMost('total s, 100k', medium?.totalS, 3),
      atMost('total s, 1M', large?.totalS, 25),
      atMost('largest process MB, 1M', largestOf(large), 400),
      growth('time', results, (result) => result.totalS),
      growth('memory of Redis', results, (result) => bytesOf(result)),
      growth('largest process', results, largestOf),
    ];
  },
};

export const w6Huge: Workload = {
  name: 'W6-10M',
  about: 'as W6; for the figure alone',
  isLong: true,
  cases: (scale) => [caseOf(names.huge, scale(10_000_000))],
};

function caseOf(name: string, n: number): Case {
  const graph = layered(n / width, width);
  return { name, n, systems: { runnel: () => measureRunnel({ n, spec: specOfGraph(graph) }) } };
}

function withBullmq(one: Case, n: number): Case {
  const graph = layered(n / width, width);
  return { ...one, systems: { ...one.systems, 'bullmq by hand': () => measureBullmq({ graph }) } };
}

function largestOf(result: Result | undefined): number | null {
  return result === undefined ? null : Math.max(...Object.values(result.peakRssMb));
}

function bytesOf({ redisBytesPerTask, n }: Result): number | null {
  return redisBytesPerTask === null ? null : redisBytesPerTask * n;
}

/** The exponent of growth from the smallest to the largest: 1 is linear. */
function growth(
  what: string,
  results: Results,
  read: (result: Result) => number | null,
): Verdict | null {
  const small = results.find(names.small, 'runnel');
  const large = results.find(names.large, 'runnel');
  if (small === undefined || large === undefined) return null;
  const [least, most] = [read(small), read(large)];
  if (least === null || most === null) return null;
  const exponent = Math.log(most / least) / Math.log(large.n / small.n);
  return atMost(`exponent of growth, ${what}`, exponent, 1.1);
}
