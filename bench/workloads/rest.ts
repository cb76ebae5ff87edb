import { seededRandom } from '../graph.ts';
import { atMost } from '../results.ts';
import { type Spec, specOfProduct } from '../specs.ts';
import { ofCost, RunnelSystem } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const product = 'rest product';
const different = 'rest details';
const detailChars = 100;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const rest: Workload = {
  name: 'rest',
  about: `memory of a task that waits for another: from a parameter, and each with ${detailChars} random letters in its details`,
  cases(scale) {
    const n = scale(1_000_000);
    const fewer = scale(100_000);
    return [
      { name: product, n, systems: { runnel: () => measureAtRest(waiting(specOfProduct(n)), n) } },
      {
        name: different,
        n: fewer,
        systems: { runnel: () => measureAtRest(waiting(specOfLetters(fewer)), fewer) },
      },
    ];
  },
  judge: (results) => [
    atMost('bytes a task, product', results.find(product, 'runnel')?.redisBytesPerTask, 60),
    atMost('bytes a task, details', results.find(different, 'runnel')?.redisBytesPerTask, 150),
  ],
};

/** The same tasks behind one more, which nobody carries out. */
function waiting(spec: Spec): Spec {
  return {
    head: spec.head,
    *tasks() {
      yield { class: 'gate', details: { name: 'work', input: 0 } };
      for (const task of spec.tasks()) yield { ...task, parents: ['gate'] };
    },
  };
}

function specOfLetters(count: number): Spec {
  return {
    head: { defaults: { executor: 'function' } },
    *tasks() {
      const random = seededRandom(count);
      const letter = (): string => letters.charAt(Math.floor(random() * letters.length));
      for (let task = 0; task < count; task++) {
        const text = Array.from({ length: detailChars }, letter).join('');
        yield { class: 'work', id: `t${task}`, details: { name: 'work', input: text } };
      }
    },
  };
}

/** What the keys of a run without workers take, allocator included: other memory of Redis comes and goes. */
async function measureAtRest(spec: Spec, n: number): Promise<Measurement> {
  await using system = await RunnelSystem.start({ workers: 0 });
  const file = await system.writeSpec(spec);
  const before = sum(await readKeys(system));
  const stop = await system.measure();
  const startedAt = performance.now();
  const id = await system.submit(file);
  const submitS = (performance.now() - startedAt) / 1000;
  const cost = await stop();
  const keys = await readKeys(system);
  const { counts } = await system.client.getRun(id);
  if (counts.waiting !== n) throw new Error(`${n} tasks should wait, but ${counts.waiting} do`);
  return {
    ...ofCost(cost, n),
    submitS,
    redisBytesPerTask: (sum(keys) - before) / n,
    figures: figuresOf(keys, n),
  };
}

/** The last part of each key and its bytes. */
async function readKeys({ redis }: RunnelSystem): Promise<readonly (readonly [string, number])[]> {
  const keys = await redis.keys('*');
  return await Promise.all(
    keys.map(async (key) => {
      const bytes = await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0');
      return [key.split(':').at(-1) ?? key, Number(bytes)] as const;
    }),
  );
}

function sum(keys: readonly (readonly [string, number])[]): number {
  return keys.reduce((total, [, bytes]) => total + bytes, 0);
}

/** Bytes a task of the keys that matter. */
function figuresOf(
  keys: readonly (readonly [string, number])[],
  n: number,
): Readonly<Record<string, number>> {
  const perTask = keys.map(([name, bytes]) => [name, bytes / n] as const);
  return Object.fromEntries(perTask.filter(([, bytes]) => bytes >= 1));
}
