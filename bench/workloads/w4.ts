import { fan } from '../graph.ts';
import { atLeast, atMost } from '../results.ts';
import { specOfFan } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Case, Workload } from '../workload.ts';

const small = 'W4 50k';
const large = 'W4 1M';

export const w4: Workload = {
  name: 'W4',
  about: 'one function task, many that wait for it, one that waits for them all',
  cases(scale) {
    const width = scale(50_000);
    const graph = fan(width);
    return [
      {
        ...caseOf(small, width),
        systems: {
          ...caseOf(small, width).systems,
          'bullmq by hand': () => measureBullmq({ graph }),
        },
      },
      caseOf(large, scale(1_000_000)),
    ];
  },
  judge: (results) =>
    [small, large].flatMap((name) => {
      const own = results.find(name, 'runnel');
      return [
        atLeast(`tasks/s, ${name}`, own?.tasksPerS, 50_000),
        atMost(`longest script ms, ${name}`, own?.longestScriptMs, 5),
      ];
    }),
};

function caseOf(name: string, width: number): Case {
  const n = width + 2;
  return { name, n, systems: { runnel: () => measureRunnel({ n, spec: specOfFan(width) }) } };
}
