import { loseLease, startChore } from './actors.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** Time goes on with the chores. */
const choreEveryMs = 2_000;

type Happening = () => void;

/** What may come about without anybody's step and without a fault. */
export function happenings(world: World): readonly Happening[] {
  const { jobs } = world;
  const awake = world.live().filter(({ isFrozen }) => !isFrozen);
  const frozen = world.live().filter(({ isFrozen }) => isFrozen);
  const dead = jobs.active().filter(({ by }) => by.isDead || by.isFrozen);
  return [
    ...choresOf(world, awake),
    ...frozen.map((process) => () => thaw(world, process)),
    ...dead.map((job) => () => jobs.stall(job)),
    () => jobs.forgetEnded(),
    ...unnoticedLosses(world),
    ...leasesToGiveUp(world, awake),
  ];
}

/** Holders that have not noticed yet that their lock is gone. */
export function unnoticedLosses({ jobs: { unnoticed } }: World): readonly Happening[] {
  return [...unnoticed]
    .filter(({ by }) => !by.isFrozen)
    .map((job) => () => {
      unnoticed.delete(job);
      loseLease(job);
    });
}

/** Workers ask now and then which runs are being cancelled. */
export function checksOfCancels(world: World, hasCancelled: boolean): readonly Happening[] {
  if (!hasCancelled) return [];
  return world.workers
    .filter(({ process }) => !process.isDead && !process.isFrozen)
    .map((worker) => () => worker.process.start(() => worker.checkCancels()));
}

/** They ask, too, what edits have left of their deliveries. */
export function checksOfEdits(world: World): readonly Happening[] {
  if (!world.changed.has('edit')) return [];
  return world.workers
    .filter(({ process }) => !process.isDead && !process.isFrozen)
    .map((worker) => () => worker.process.start(() => worker.checkEdited()));
}

function choresOf(world: World, awake: readonly Process[]): readonly Happening[] {
  return world.listeners
    .filter(({ process }) => awake.includes(process))
    .flatMap((listener) =>
      listener.chores.map((_, which) => () => {
        world.nowMs += choreEveryMs;
        startChore(listener, which);
      }),
    );
}

function leasesToGiveUp(world: World, awake: readonly Process[]): readonly Happening[] {
  const listeners = world.listeners.filter(({ process }) => awake.includes(process));
  if (listeners.filter(({ leases }) => leases.isOwner).length < 2) return [];
  return listeners.map(
    ({ leases }) =>
      () =>
        leases.giveUp(),
  );
}

function thaw(world: World, process: Process): void {
  world.log.push(`${process.name} goes on`);
  process.isFrozen = false;
}
