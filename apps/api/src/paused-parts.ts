import { mostPausedListed, type WirePausedParts } from '@runnel/client';
import { type Paused, type RunInfo, readPaused } from '@runnel/store';
import type { ApiContext } from './context.ts';

/** Classes and tasks of a run that are paused by themselves, the first of each. */
export async function toWirePausedParts(
  { redis }: Pick<ApiContext, 'redis'>,
  info: RunInfo,
): Promise<WirePausedParts> {
  const paused = await readPaused(redis, info.facts.handle);
  const groups = await info.groups();
  // A class may have several groups, paused together.
  const byClass = new Map<string, Paused>();
  for (const one of paused.groups) {
    const name = groups[one.number]?.class ?? '';
    if (!byClass.has(name)) byClass.set(name, one);
  }
  const classes = [...byClass].slice(0, mostPausedListed);
  const tasks = paused.tasks.slice(0, mostPausedListed);
  return {
    classes: classes.map(([name, one]) => ({ class: name, ...whenAndWho(one) })),
    tasks: await Promise.all(
      tasks.map(async (one) => {
        const { id } = await info.task(one.number);
        return { number: one.number, id, ...whenAndWho(one) };
      }),
    ),
    omitted: byClass.size - classes.length + paused.tasks.length - tasks.length,
  };
}

function whenAndWho({ since, by }: Paused): { since: string; by: string | null } {
  return { since: new Date(since).toISOString(), by };
}
