import { layered } from '../graph.ts';
import { atLeast, ratio } from '../results.ts';
import { specOfGraph } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Case, Workload } from '../workload.ts';

const wide = 'W3 20×5000';
const narrow = 'W3 20×500';

export const w3: Workload = {
  name: 'W3',
  about: 'function tasks in 20 layers, 3 random parents each',
  cases: (scale) => [caseOf(narrow, scale(500)), caseOf(wide, scale(5_000))],
  judge(results) {
    const own = results.find(narrow, 'runnel')?.tasksPerS;
    const other = results.find(narrow, 'bullmq by hand')?.tasksPerS;
    return [
      atLeast('tasks/s, 20×5000', results.find(wide, 'runnel')?.tasksPerS, 40_000),
      atLeast('times BullMQ by hand, 20×500', ratio(own, other), 5),
    ];
  },
};

function caseOf(name: string, width: number): Case {
  const graph = layered(20, width);
  const n = graph.count;
  return {
    name,
    n,
    systems: {
      runnel: () => measureRunnel({ n, spec: specOfGraph(graph) }),
      'bullmq by hand': () => measureBullmq({ graph }),
    },
  };
}
