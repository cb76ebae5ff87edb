import { openOutcomes } from '@runnel/store';
import type { Redis } from 'ioredis';
import { findWrongs } from './check-end.ts';
import { namespace, type Scene, shard } from './scene.ts';
import { type Order, Schedule } from './schedule.ts';
import type { Variant } from './variant.ts';
import { Violation, World } from './world.ts';

/** What a case came to. */
export interface Played {
  /** What was done, in order. */
  readonly log: readonly string[];
  readonly operations: number;
  /** What must not be; empty where all is well. */
  readonly wrongs: readonly string[];
}

/** Plays one case on an empty logical database, and looks at what is left. */
export async function playCase(
  redis: Redis,
  scene: Scene,
  order: Order,
  variant: Variant,
): Promise<Played> {
  await redis.flushdb();
  await openOutcomes(redis, namespace, shard);
  const world = new World(redis, scene, variant);
  const schedule = new Schedule(world, order);
  try {
    await schedule.run();
    const wrongs = await findWrongs(world);
    return { log: world.log, operations: schedule.operations, wrongs };
  } catch (error: unknown) {
    if (!(error instanceof Violation)) throw error;
    return { log: world.log, operations: schedule.operations, wrongs: [error.message] };
  } finally {
    for (const process of world.processes) process.die();
  }
}
