import { fileURLToPath } from 'node:url';
import type { Random } from './random.ts';

const command = fileURLToPath(new URL('./task.sh', import.meta.url));

/** A task as the client planned it; the checker works out from this what must become of it. */
export interface PlannedTask {
  readonly id: string;
  readonly executor: 'function' | 'local';
  readonly parents: readonly string[];
  readonly runIf: 'all-succeeded' | 'all-done' | 'none-failed';
  /** How each attempt ends. */
  readonly ends: readonly ('succeeded' | 'failed')[];
  readonly ms: number;
}

export type Graph = readonly PlannedTask[];

/** A graph of one of the shapes that people have. */
export function drawGraph(random: Random): Graph {
  const shape = random.pick(['random', 'random', 'chain', 'fan', 'commands'] as const);
  if (shape === 'chain') return drawChain(random);
  if (shape === 'fan') return drawFan(random);
  if (shape === 'commands') return drawRandom(random, 8, 1);
  return drawRandom(random, random.between(10, 50), 0.1);
}

function drawChain(random: Random): Graph {
  return Array.from({ length: random.between(5, 12) }, (_, index) =>
    drawTask(random, index, { parents: index === 0 ? [] : [`t${index - 1}`], local: 0.1 }),
  );
}

function drawFan(random: Random): Graph {
  const width = random.between(10, 60);
  const middle = Array.from({ length: width }, (_, index) => index + 1);
  return [
    drawTask(random, 0, { parents: [], local: 0 }),
    ...middle.map((index) => drawTask(random, index, { parents: ['t0'], local: 0 })),
    drawTask(random, width + 1, { parents: middle.map((index) => `t${index}`), local: 0 }),
  ];
}

function drawRandom(random: Random, size: number, local: number): Graph {
  return Array.from({ length: size }, (_, index) => {
    const wanted = random.chance(0.2) ? 0 : random.between(1, 3);
    const parents = new Set<string>();
    for (let n = 0; index > 0 && n < wanted; n++) parents.add(`t${random.between(0, index - 1)}`);
    return drawTask(random, index, { parents: [...parents], local });
  });
}

function drawTask(
  random: Random,
  index: number,
  { parents, local }: { readonly parents: readonly string[]; readonly local: number },
): PlannedTask {
  const ends = random.chance(0.1) ? (['failed', 'succeeded'] as const) : (['succeeded'] as const);
  const isSlow = random.chance(0.06);
  return {
    id: `t${index}`,
    executor: random.chance(local) ? 'local' : 'function',
    parents,
    runIf: random.chance(0.8) ? 'all-succeeded' : random.pick(['all-done', 'none-failed'] as const),
    ends: random.chance(0.03) ? ['failed'] : ends,
    ms: isSlow ? random.between(300, 1_500) : random.between(1, 40),
  };
}

/** The spec of a graph. Classes are few, so that several tasks come in one delivery. */
export function toSpec(graph: Graph, journal: string): unknown {
  return {
    tasks: graph.map(({ id, executor, parents, runIf, ends, ms }, index) => ({
      class: `${executor}${index % 3}`,
      id,
      executor,
      runIf,
      ...(parents.length === 0 ? {} : { parents: parents.map((parent) => ({ id: parent })) }),
      retries: { limit: ends.length - 1, backoff: '50ms' },
      details:
        executor === 'function'
          ? { name: 'work', input: { journal, ms, ends } }
          : { command: ['sh', command, journal, String(ms / 1_000), ends.join(',')] },
    })),
  };
}
