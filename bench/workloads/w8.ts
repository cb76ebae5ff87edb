import { proveCalls } from '../calls.ts';
import { percentile } from '../measure.ts';
import { atMost } from '../results.ts';
import { specOfFan, specOfProduct } from '../specs.ts';
import { ofCost, RunnelSystem } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const name = 'W8';
const width = 48;
const tasks = width + 2;
/** Fewer small runs than this beside the large one say nothing about their median. */
const fewestRuns = 10;

export const w8: Workload = {
  name,
  about: `small runs, 1 → ${width} → 1: alone, then beside a large run of independent function tasks`,
  cases(scale) {
    const n = scale(1_000_000);
    const runs = scale(100);
    return [{ name, n, systems: { runnel: () => measureBeside(n, runs) } }];
  },
  judge(results) {
    const figures = results.find(name, 'runnel')?.figures;
    return [atMost('times as long as alone, small runs', figures?.['timesAlone'], 3)];
  },
};

async function measureBeside(n: number, runs: number): Promise<Measurement> {
  await using system = await RunnelSystem.start();
  const small = (run: number) => system.run(specOfFan(width, n + run * tasks), tasks);
  const alone: number[] = [];
  for (let run = 0; run < runs; run++) alone.push((await small(run)).totalS * 1000);

  const file = await system.writeSpec(specOfProduct(n));
  const stop = await system.measure();
  const startedAt = performance.now();
  const id = await system.submit(file);
  const submitS = (performance.now() - startedAt) / 1000;
  let endedAt: number | null = null;
  const large = system.waitForEnd(id, n).then((at) => {
    endedAt = at;
    return at;
  });
  const beside: number[] = [];
  let started = 0;
  while (started < runs && endedAt === null) {
    const { totalS } = await small(runs + started++);
    // One that outlived the large run was alone at its end.
    if (endedAt === null) beside.push(totalS * 1000);
  }
  const totalS = ((await large) - startedAt) / 1000;
  const cost = await stop();
  if (beside.length < fewestRuns) {
    throw new Error(`the large run ended with only ${beside.length} small runs beside it`);
  }
  await system.prove(id, n);
  await proveCalls(system.stack.dir, n + (runs + started) * tasks);
  const [aloneMsP50, besideMsP50] = [percentile(alone, 0.5), percentile(beside, 0.5)];
  return {
    ...ofCost(cost, n),
    ...{ submitS, totalS, tasksPerS: await system.readRate(id) },
    figures: {
      ...{ aloneMsP50, besideMsP50, timesAlone: besideMsP50 / aloneMsP50 },
      ...{ besideMsP99: percentile(beside, 0.99), besideRuns: beside.length },
    },
  };
}
