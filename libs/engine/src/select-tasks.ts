import { type FinalTaskState, noSuchClass } from '@runnel/core';
import { finalStateOf, findTask, groupAt, type RedisClient, type RunInfo } from '@runnel/store';
import { explainMissing } from './explain-missing.ts';

/** Which tasks a change of a run is about: each list that is given narrows; `from` adds. */
export interface TaskSelector<State extends string = FinalTaskState> {
  /** Ids or numbers. */
  readonly tasks?: readonly (string | number)[] | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly states?: readonly State[] | undefined;
  /** These tasks whatever their state. Given alone, no others are selected. */
  readonly from?: readonly (string | number)[] | undefined;
}

/** Whether no others are meant than those that hang on some. */
export function isFromAlone({ tasks, classes, states, from }: TaskSelector<string>): boolean {
  return from !== undefined && [tasks, classes, states].every((one) => one === undefined);
}

/** The numbers of the selected tasks; `states` are those that count where none are named. */
export async function selectNodes(
  redis: RedisClient,
  info: RunInfo,
  source: { readonly states: Uint8Array },
  request: { readonly selector: TaskSelector; readonly states: readonly FinalTaskState[] },
): Promise<ReadonlySet<number>> {
  const { selector } = request;
  const selected = new Set(await findTasks(redis, info, selector.from ?? []));
  if (isFromAlone(selector)) return selected;
  const wanted = new Set(selector.states ?? request.states);
  const isWanted = (node: number): boolean => {
    const state = finalStateOf(source.states[node] ?? 0);
    return state !== undefined && wanted.has(state);
  };
  for (const node of await listSelected(redis, info, selector, isWanted)) selected.add(node);
  return selected;
}

/** Tasks that `tasks` and `classes` leave, and that are wanted. */
export async function listSelected(
  redis: RedisClient,
  info: RunInfo,
  { tasks, classes }: Pick<TaskSelector, 'tasks' | 'classes'>,
  isWanted: (node: number) => boolean,
): Promise<Iterable<number>> {
  const [ranges, isGroupIn] = await Promise.all([info.ranges(), filterGroups(info, classes)]);
  const isSelected = (node: number, group: number): boolean =>
    isGroupIn[group] === true && isWanted(node);
  if (tasks === undefined) return listNodes(ranges, info.facts.nodeCount, isSelected);
  const found = await findTasks(redis, info, tasks);
  return found.filter((node) => isSelected(node, groupAt(ranges, node)));
}

/** By group: whether it is of one of the classes; of any, where none are named. */
export async function filterGroups(
  info: RunInfo,
  classes: readonly string[] | undefined,
): Promise<readonly boolean[]> {
  const groups = (await info.groups()).map(({ kind, class: name }) => ({
    isTask: kind !== 'barrier',
    name,
  }));
  for (const wanted of classes ?? []) {
    if (groups.some(({ isTask, name }) => isTask && name === wanted)) continue;
    throw noSuchClass(info.facts.handle.id, wanted, classesOf(groups));
  }
  const named = classes === undefined ? null : new Set(classes);
  return groups.map(({ isTask, name }) => isTask && (named === null || named.has(name)));
}

function classesOf(groups: readonly { readonly isTask: boolean; readonly name: string }[]) {
  return groups.filter(({ isTask }) => isTask).map(({ name }) => name);
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

/** The numbers of named tasks; throws NotFoundError for one that there is not. */
export async function findTasks(
  redis: RedisClient,
  info: RunInfo,
  names: readonly (string | number)[],
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of names) {
    const number = await findTask(redis, info, String(name));
    if (number === null) throw await explainMissing(redis, info, name);
    found.push(number);
  }
  return found;
}
