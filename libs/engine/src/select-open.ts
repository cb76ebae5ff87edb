import { beingSubmitted, ConflictError, noSuchRun, type OpenTaskState } from '@runnel/core';
import { groupAt, type RedisClient, type RunInfo, readOpenTasks } from '@runnel/store';
import { inFlight } from './retry.ts';
import {
  filterGroups,
  findTasks,
  isFromAlone,
  listSelected,
  type TaskSelector,
} from './select-tasks.ts';

/** Which tasks that have not ended a change is about. What hangs on those of `from` is meant too. */
export type OpenSelector = TaskSelector<OpenTaskState>;

/** A change of tasks of a run that goes on. */
export interface PartChange {
  readonly selector: OpenSelector;
  readonly isDryRun: boolean;
}

export interface ChangeContext {
  readonly redis: RedisClient;
  readonly now: number;
  /** Who asks, as they say. */
  readonly by: string | null;
}

/** Of a class, or of all: tasks that have not ended, and how many of them workers have. */
export interface PartCounts {
  readonly selected: number;
  readonly running: number;
}

/** What a change is about; the counts are those of the moment at which the run was read. */
export interface PartAnswer extends PartCounts {
  /** False where nothing was changed: it was so before, or it was only asked what would be. */
  readonly isNew: boolean;
  /** In the order of the spec, those with something to count. */
  readonly classes: readonly (PartCounts & { readonly class: string })[];
}

export interface OpenSelection extends Omit<PartAnswer, 'isNew'> {
  /** Ascending. */
  readonly nodes: Uint32Array;
}

/** Throws NotFoundError for a task or class that there is not. */
export async function selectOpen(
  redis: RedisClient,
  info: RunInfo,
  selector: OpenSelector,
): Promise<OpenSelection> {
  const { handle, nodeCount } = info.facts;
  const [open, isTask] = await Promise.all([
    readOpenTasks(redis, handle, nodeCount),
    filterGroups(info, undefined),
  ]);
  const ranges = await info.ranges();
  const selected = new Uint8Array(nodeCount);
  const { from, states } = selector;
  if (!isFromAlone(selector)) {
    const wanted = states === undefined ? null : new Set(states);
    const isWanted = (node: number): boolean => {
      const state = open.stateOf(node);
      return state !== null && (wanted === null || wanted.has(state));
    };
    for (const node of await listSelected(redis, info, selector, isWanted)) selected[node] = 1;
  }
  if (from !== undefined) {
    for (const node of await open.withDescendants(await findTasks(redis, info, from))) {
      if (isTask[groupAt(ranges, node)] && open.stateOf(node) !== null) selected[node] = 1;
    }
  }
  const nodes = placesOf(selected);
  return { nodes, ...(await countNodes(info, nodes, (node) => open.stateOf(node) === 'running')) };
}

/** Where marks stand, ascending. */
function placesOf(marks: Uint8Array): Uint32Array {
  const places = new Uint32Array(marks.length);
  let count = 0;
  for (let at = marks.indexOf(1); at !== -1; at = marks.indexOf(1, at + 1)) places[count++] = at;
  return places.slice(0, count);
}

async function countNodes(
  info: RunInfo,
  nodes: Uint32Array,
  isRunning: (node: number) => boolean,
): Promise<Omit<PartAnswer, 'isNew'>> {
  const [ranges, groups] = await Promise.all([info.ranges(), info.groups()]);
  const byGroup = groups.map(() => ({ selected: 0, running: 0 }));
  countByGroup(byGroup, ranges, { nodes, isRunning });
  const byClass = new Map<string, PartCounts>();
  let all: PartCounts = { selected: 0, running: 0 };
  for (const [group, counts] of byGroup.entries()) {
    const name = groups[group]?.class ?? '';
    if (counts.selected === 0) continue;
    byClass.set(name, sumOf(byClass.get(name), counts));
    all = sumOf(all, counts);
  }
  return { ...all, classes: [...byClass].map(([name, own]) => ({ class: name, ...own })) };
}

/** Adds up nodes, which ascend, as ranges of groups do. */
function countByGroup(
  counts: readonly { selected: number; running: number }[],
  ranges: Uint32Array,
  { nodes, isRunning }: { nodes: Uint32Array; isRunning: (node: number) => boolean },
): void {
  let range = 0;
  for (const node of nodes) {
    while (node >= (ranges[range + 2] ?? Infinity)) range += 2;
    const own = counts[ranges[range + 1] ?? 0];
    if (own === undefined) continue;
    own.selected++;
    if (isRunning(node)) own.running++;
  }
}

function sumOf(a: PartCounts = { selected: 0, running: 0 }, b: PartCounts): PartCounts {
  return { selected: a.selected + b.selected, running: a.running + b.running };
}

/** Classes that the feed names of one change. */
const mostClasses = 20;

/** What the feed tells of a change. */
export function toldOf(
  by: string | null,
  { selected, running, classes }: Omit<PartAnswer, 'isNew'>,
): { by: string | null; classes: string[]; selected: number; running: number } {
  return { by, classes: classes.slice(0, mostClasses).map((one) => one.class), selected, running };
}

/** Why tasks of a run can't be changed, from what a script answered. */
export function refusalOf(id: string, state: string | null): Error {
  switch (state) {
    case null:
      return noSuchRun(id);
    case 'retrying':
    case 'changing':
    case 'editing':
      return inFlight(id, state);
    case 'halting':
      return new ConflictError(`run ${id} is being ended early`);
    case 'submitting':
      return beingSubmitted(id);
    case 'created':
      return new ConflictError(`run ${id} has not been started: there is nothing to change`);
    default:
      return new ConflictError(`run ${id} has ${state} already: there is nothing to change`);
  }
}
