import { hopsOf, readCalls } from '../calls.ts';
import { chain } from '../graph.ts';
import { atMost } from '../results.ts';
import { specOfGraph } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const name = 'W2';

/** Of BullMQ's Flow on a quiet machine, where it is not measured in the same run. */
const flowHopMs = 0.9;

export const w2: Workload = {
  name,
  about: 'a chain of function tasks; a hop is from the start of one to the start of the next',
  cases(scale) {
    const n = scale(2_000);
    const graph = chain(n);
    return [
      {
        name,
        n,
        systems: {
          runnel: () => measureRunnel({ n, spec: specOfGraph(graph), examine: measureHops }),
          'bullmq Flow': () => measureBullmq({ graph, kind: 'flow', examine: measureHops }),
        },
      },
    ];
  },
  judge(results) {
    const own = results.find(name, 'runnel');
    const other = results.find(name, 'bullmq Flow');
    return [
      atMost('median hop ms', own?.hopMsP50, other?.hopMsP50 ?? flowHopMs),
      atMost('p99 hop ms', own?.hopMsP99, 5),
    ];
  },
};

function measureHops(dir: string): Partial<Measurement> {
  const { p50, p99 } = hopsOf(readCalls(dir));
  return { hopMsP50: p50, hopMsP99: p99 };
}
