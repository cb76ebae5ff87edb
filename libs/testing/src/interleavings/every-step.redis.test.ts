import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { evenWhereChanged, scenes } from './cases.ts';
import { closeDatabases, openDatabases } from './databases.ts';
import { type Played, playCase } from './play-case.ts';
import type { Scene } from './scene.ts';
import type { FaultAt } from './schedule.ts';
import { loadVariant, smallPages, type Variant } from './variant.ts';
import { installVirtualTime } from './virtual-time.ts';

let databases: readonly Redis[];
let variant: Variant;
let uninstall: () => void;

beforeAll(async () => {
  databases = await openDatabases(inject('redisUrl'));
  variant = await loadVariant(databases, smallPages);
  uninstall = installVirtualTime();
});

afterAll(async () => {
  uninstall();
  await closeDatabases(databases);
});

const wanted = process.env['RUNNEL_INTERLEAVINGS_GRAPHS'];
const graphs = Number(wanted ?? 12);
/** A crash before a step is mostly one after the step before: in an ordinary run one will do. */
const ways: readonly FaultAt['how'][] =
  wanted === undefined
    ? ['crash-after', 'resend']
    : ['crash-before', 'crash-after', 'resend', 'error'];

test.each(ways)(
  `${graphs} runs end right whichever step the fault strikes: %s`,
  async (how) => {
    const left = [...fixedScenes()];

    const wrongs = await Promise.all(databases.map((redis) => strikeAll(redis, left, how)));

    expect(wrongs.flat()).toEqual([]);
  },
  3_600_000,
);

/** Half of the runs are as any, a quarter is edited while it goes on, in a quarter tasks generate tasks. */
function fixedScenes(): readonly Scene[] {
  const sample = (numRuns: number, grows: boolean): readonly Scene[] =>
    fc.sample(scenes({ min: 3, max: 5, grows }), { numRuns, seed: 7 });
  const some = Math.ceil(graphs / 4);
  const edited = sample(some, false).map((scene) =>
    evenWhereChanged({ ...scene, changes: ['edit'], isCancelled: false }),
  );
  return [...sample(graphs - 2 * some, false), ...edited, ...sample(some, true)];
}

/** Operations after which a run is edited: it goes on by then. */
const changeAt = 20;

/** Takes graphs until none is left, and strikes each at every step. */
async function strikeAll(
  redis: Redis,
  left: Scene[],
  how: FaultAt['how'],
): Promise<readonly string[]> {
  const wrongs: string[] = [];
  for (let scene = left.pop(); scene !== undefined; scene = left.pop()) {
    const whole = await strike(redis, scene, { operation: -1, how });
    wrongs.push(...whole.wrongs);
    for (let operation = 0; operation < whole.operations; operation++) {
      const played = await strike(redis, scene, { operation, how });
      for (const wrong of played.wrongs) {
        wrongs.push(`${wrong} (${how} at ${operation} of ${JSON.stringify(scene)})`);
      }
    }
  }
  return wrongs;
}

/** Steps go in turn, so that the same scene comes to the same steps each time. */
async function strike(redis: Redis, scene: Scene, faultAt: FaultAt): Promise<Played> {
  return await playCase(redis, scene, { skip: 0, deaf: 0, tape: [], changeAt, faultAt }, variant);
}
