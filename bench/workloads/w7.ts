import { proveCalls } from '../calls.ts';
import { fan } from '../graph.ts';
import { percentile } from '../measure.ts';
import { atLeast, atMost } from '../results.ts';
import { type SpecFile, specOfFan } from '../specs.ts';
import { BullmqSystem } from '../systems/bullmq.ts';
import { ofCost, RunnelSystem } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const name = 'W7';
const clients = 20;
/** 1 → 48 → 1. */
const width = 48;
const tasks = width + 2;

export const w7: Workload = {
  name,
  about: `runs of ${tasks} function tasks, 1 → ${width} → 1, submitted by ${clients} clients at once`,
  cases(scale) {
    const runs = scale(1_000);
    return [
      {
        name,
        n: runs * tasks,
        systems: {
          runnel: () => measureOwn(runs),
          'bullmq by hand': () => measureOther(runs),
        },
      },
    ];
  },
  judge(results) {
    const own = results.find(name, 'runnel');
    return [
      atLeast('tasks/s', own?.tasksPerS, 10_000),
      atMost('p99 of POST /runs ms', own?.figures['postMsP99'], 50),
    ];
  },
};

async function measureOwn(runs: number): Promise<Measurement> {
  await using system = await RunnelSystem.start();
  const files: SpecFile[] = [];
  for (let run = 0; run < runs; run++) {
    files.push(await system.writeSpec(specOfFan(width, run * tasks)));
  }
  const stop = await system.measure();
  const posts: number[] = [];
  const ids: string[] = [];
  const startedAt = performance.now();
  await atOnce(files, async (file) => {
    const before = performance.now();
    ids.push(await system.submit(file));
    posts.push(performance.now() - before);
  });
  const submitS = (performance.now() - startedAt) / 1000;
  const ends = await Promise.all(ids.map((id) => system.waitForEnd(id, runs * tasks)));
  const totalS = (Math.max(...ends) - startedAt) / 1000;
  const cost = await stop();
  await atOnce(ids, (id) => system.prove(id, tasks));
  await proveCalls(system.stack.dir, runs * tasks);
  return {
    ...ofCost(cost, runs * tasks),
    ...{ submitS, totalS, tasksPerS: (runs * tasks) / totalS },
    figures: { postMsP50: percentile(posts, 0.5), postMsP99: percentile(posts, 0.99) },
  };
}

async function measureOther(runs: number): Promise<Measurement> {
  await using system = await BullmqSystem.start();
  const stop = await system.measure();
  const numbers = Array.from({ length: runs }, (_, run) => run);
  const startedAt = performance.now();
  await atOnce(numbers, async (run) => {
    const roots = await system.store(`run${run}`, fan(width));
    await system.add(`run${run}`, roots, run * tasks);
  });
  const submitS = (performance.now() - startedAt) / 1000;
  const ends = await Promise.all(
    numbers.map((run) => system.waitForEnd(`run${run}`, runs * tasks)),
  );
  const totalS = (Math.max(...ends) - startedAt) / 1000;
  const cost = await stop();
  await proveCalls(system.dir, runs * tasks);
  return {
    ...ofCost(cost, runs * tasks),
    ...{ submitS, totalS, tasksPerS: (runs * tasks) / totalS },
  };
}

/** Each client takes the next item as soon as it is done with one. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const item of left) await work(item);
    }),
  );
}
