import { layered } from '../graph.ts';
import { type Spec, specOfGraph, specOfProduct } from '../specs.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Case, Workload } from '../workload.ts';
import { specOfCommands } from './w5.ts';

const workerCounts = [1, 2, 4];
const listenerCounts = [1, 2];
/** As long as waiting slots of one worker can be told from those of four. */
const sleepMs = 1_000;

export const scaleOut: Workload = {
  name: 'scale-out',
  about: 'W1, W3, W5 and sleeping tasks with more workers and listeners',
  cases(scale) {
    const graph = layered(20, scale(5_000));
    const [many, commands, sleeping] = [scale(100_000), scale(2_000), scale(50_000)];
    return [
      caseOf('scale-out W1', { n: many, spec: specOfProduct(many) }),
      caseOf('scale-out W3', { n: graph.count, spec: specOfGraph(graph) }),
      caseOf('scale-out W5', { n: commands, spec: specOfCommands(commands), hasJournal: false }),
      caseOf('scale-out sleep', { n: sleeping, spec: specOfSleep(sleeping), hasJournal: false }),
    ];
  },
};

function caseOf(
  name: string,
  work: { readonly n: number; readonly spec: Spec; readonly hasJournal?: boolean },
): Case {
  const systems = workerCounts.flatMap((workers) =>
    listenerCounts.map((listeners) => {
      const system = `runnel, workers: ${workers}, listeners: ${listeners}`;
      return [system, () => measureRunnel({ ...work, workers, listeners })] as const;
    }),
  );
  return { name, n: work.n, systems: Object.fromEntries(systems) };
}

function specOfSleep(count: number): Spec {
  return {
    head: { parameters: { N: { from: 1, to: count } } },
    tasks: () => [
      { class: 'sleep', executor: 'sleep', parameters: ['N'], details: { ms: sleepMs } },
    ],
  };
}
