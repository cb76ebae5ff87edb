import { independent } from '../graph.ts';
import { atLeast, ratio } from '../results.ts';
import { specOfProduct } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Workload } from '../workload.ts';

const name = 'W1';

export const w1: Workload = {
  name,
  about: 'independent function tasks, from a parameter',
  cases(scale) {
    const n = scale(100_000);
    const spec = specOfProduct(n);
    return [
      {
        name,
        n,
        systems: {
          runnel: () => measureRunnel({ n, spec }),
          'runnel, worker on one core': () => measureRunnel({ n, spec, onOneCore: true }),
          'bullmq by hand': () => measureBullmq({ graph: independent(n) }),
        },
      },
    ];
  },
  judge(results) {
    const own = results.find(name, 'runnel')?.tasksPerS;
    const pinned = results.find(name, 'runnel, worker on one core')?.tasksPerS;
    const other = results.find(name, 'bullmq by hand')?.tasksPerS;
    return [
      atLeast('tasks/s', own, 50_000),
      atLeast('times BullMQ by hand', ratio(own, other), 10),
      atLeast('tasks/s, worker on one core', pinned, 20_000),
    ];
  },
};
