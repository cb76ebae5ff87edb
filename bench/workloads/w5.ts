import { independent } from '../graph.ts';
import { atLeast } from '../results.ts';
import type { Spec } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureMake } from '../systems/make.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Workload } from '../workload.ts';

const name = 'W5';
const atOnce = 2;

/** Commands that do nothing, each with an argument of its own. */
export function specOfCommands(count: number): Spec {
  return {
    head: { parameters: { N: { from: 0, to: count - 1 } } },
    tasks: () => [{ class: 'true', details: { command: ['/bin/true', '{{N}}'] } }],
  };
}

export const w5: Workload = {
  name,
  about: `/bin/true, ${atOnce} at once`,
  cases(scale) {
    const n = scale(2_000);
    const graph = independent(n);
    const work = { n, spec: specOfCommands(n), hasJournal: false, concurrency: atOnce };
    return [
      {
        name,
        n,
        systems: {
          runnel: () => measureRunnel(work),
          'bullmq by hand': () => measureBullmq({ graph, kind: 'command', concurrency: atOnce }),
          make: () => measureMake(n, atOnce),
        },
      },
    ];
  },
  judge: (results) => [atLeast('tasks/s', results.find(name, 'runnel')?.tasksPerS, 1_500)],
};
