import type { GroupRoute, RedisClient } from '@runnel/store';
import type { ExecutorFacts } from '../executors.ts';
import { routeOf } from '../submit.ts';
import type { PreparedEdit } from './prepare-edit.ts';

/** Queues of a run after an edit: those that it had keep their numbers, new ones follow. */
export interface EditQueues {
  readonly names: readonly string[];
  /** By group: the number of its queue. */
  readonly queueOf: readonly number[];
  /** By group; none for those that the run had before. */
  readonly routes: readonly (GroupRoute | undefined)[];
  readonly oldGroupIndex: Buffer;
}

const bytesOfGroup = 8;

export async function planQueues(
  redis: RedisClient,
  { info, old, structure }: PreparedEdit,
  executors: ExecutorFacts,
): Promise<EditQueues> {
  const { handle } = info.facts;
  const oldGroupIndex = (await redis.getBuffer(handle.names.groupIndex)) ?? Buffer.alloc(0);
  const names = [...handle.queues];
  const routes = structure.groups.map((group, number) =>
    number < old.groups.length ? undefined : routeOf(group, executors),
  );
  const queueOf = structure.groups.map((group, number) => {
    const route = routes[number];
    if (route === undefined) return oldGroupIndex.readUInt8(number * bytesOfGroup + 4);
    if (group.kind === 'barrier') return 0;
    const known = names.indexOf(route.queue);
    return known === -1 ? names.push(route.queue) - 1 : known;
  });
  return { names, queueOf, routes, oldGroupIndex };
}
