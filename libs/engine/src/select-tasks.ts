import { type FinalTaskState, noSuchClass, noSuchTask } from '@runnel/core';
import {
  finalStateOf,
  findTask,
  groupAt,
  type RedisClient,
  type RetrySource,
  type RunInfo,
} from '@runnel/store';

/** Which tasks a change of a run is about: each list that is given narrows; `from` adds. */
export interface TaskSelector {
  /** Ids or numbers. */
  readonly tasks?: readonly (string | number)[] | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly states?: readonly FinalTaskState[] | undefined;
  /** These tasks whatever their state. Given alone, no others are selected. */
  readonly from?: readonly (string | number)[] | undefined;
}

/** The numbers of the selected tasks; `states` are those that count where none are named. */
export async function selectNodes(
  redis: RedisClient,
  info: RunInfo,
  source: Pick<RetrySource, 'states' | 'nodeCount'>,
  request: { readonly selector: TaskSelector; readonly states: readonly FinalTaskState[] },
): Promise<ReadonlySet<number>> {
  const { tasks, classes, states, from } = request.selector;
  const selected = new Set(await findAll(redis, info, from ?? []));
  const isFromAlone = from !== undefined && [tasks, classes, states].every((o) => o === undefined);
  if (isFromAlone) return selected;
  const wanted = new Set(states ?? request.states);
  const [ranges, isGroupIn] = await Promise.all([info.ranges(), filterGroups(info, classes)]);
  const isWanted = (node: number, group: number): boolean => {
    const state = finalStateOf(source.states[node] ?? 0);
    return state !== undefined && wanted.has(state) && isGroupIn[group] === true;
  };
  if (tasks === undefined) {
    for (const node of listNodes(ranges, source.nodeCount, isWanted)) selected.add(node);
    return selected;
  }
  for (const node of await findAll(redis, info, tasks)) {
    if (isWanted(node, groupAt(ranges, node))) selected.add(node);
  }
  return selected;
}

/** By group: whether it is of one of the classes; of any, where none are named. */
async function filterGroups(
  info: RunInfo,
  classes: readonly string[] | undefined,
): Promise<readonly boolean[]> {
  const groups = (await info.groups()).map(({ kind, class: name }) => ({
    isTask: kind !== 'barrier',
    name,
  }));
  for (const wanted of classes ?? []) {
    if (groups.some(({ isTask, name }) => isTask && name === wanted)) continue;
    throw noSuchClass(info.facts.handle.id, wanted);
  }
  const named = classes === undefined ? null : new Set(classes);
  return groups.map(({ isTask, name }) => isTask && (named === null || named.has(name)));
}

function* listNodes(
  ranges: Uint32Array,
  nodeCount: number,
  isWanted: (node: number, group: number) => boolean,
): Generator<number> {
  for (let range = 0; range < ranges.length; range += 2) {
    const stop = ranges[range + 2] ?? nodeCount;
    const group = ranges[range + 1] ?? 0;
    for (let node = ranges[range] ?? 0; node < stop; node++) {
      if (isWanted(node, group)) yield node;
    }
  }
}

async function findAll(
  redis: RedisClient,
  info: RunInfo,
  names: readonly (string | number)[],
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of names) {
    const number = await findTask(redis, info, String(name));
    if (number === null) throw noSuchTask(info.facts.handle.id, name);
    found.push(number);
  }
  return found;
}
