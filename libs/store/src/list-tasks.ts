import {
  type FinalTaskState,
  finalTaskStates,
  isFinalTaskState,
  type TaskState,
} from '@runnel/core';
import { readDeliveries } from './deliveries.ts';
import { isClaimed, stateCode } from './packed.ts';
import {
  type FoundTask,
  readStates,
  type StateReader,
  summarize,
  type TaskSummary,
} from './read-tasks.ts';
import { groupAt, type RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** By which tasks can be listed. */
export const listableStates: readonly TaskState[] = [
  'waiting',
  'ready',
  'queued',
  'running',
  'delayed',
  ...finalTaskStates,
];

export interface TaskQuery {
  readonly class?: string;
  readonly state?: TaskState;
  /** Nodes below this were listed before. */
  readonly from: number;
  readonly limit: number;
}

/** Tasks that match, and where to go on: null at the end. */
interface Found {
  readonly tasks: readonly FoundTask[];
  readonly next: number | null;
}

interface Search {
  readonly redis: RedisClient;
  readonly info: RunInfo;
  readonly query: TaskQuery;
  isOfClass(number: number): boolean;
}

/** A page of tasks in id order; `next` is where the following page starts, null at the end. */
export async function listTasks(
  redis: RedisClient,
  info: RunInfo,
  query: TaskQuery,
): Promise<{ readonly tasks: readonly TaskSummary[]; readonly next: number | null }> {
  const search = { redis, info, query, isOfClass: await classFilter(info, query.class) };
  const found = await find(search);
  return { tasks: await summarize(redis, info, found.tasks), next: found.next };
}

function find(search: Search): Promise<Found> {
  const { state } = search.query;
  if (state === 'running' || state === 'queued') return findInDeliveries(search, state);
  if (state === 'delayed' || (state !== undefined && isFinalTaskState(state))) {
    return findByCode(search, state);
  }
  return findByStates(search);
}

/** A bounded window of the run's work: no node has to be looked at. */
async function findInDeliveries(search: Search, state: 'running' | 'queued'): Promise<Found> {
  const { redis, info, query, isOfClass } = search;
  const deliveries = await readDeliveries(redis, info.facts.handle);
  const numbers = deliveries
    .filter((delivery) => (isClaimed(delivery) ? 'running' : 'queued') === state)
    .flatMap(({ ids, open }) => ids.filter((_, place) => open[place]))
    .filter((number) => number >= query.from && isOfClass(number))
    .sort((a, b) => a - b);
  const tasks = numbers.slice(0, query.limit).map((number) => ({ number, state }));
  return { tasks, next: numbers[query.limit] ?? null };
}

/** Nodes whose state bytes one step reads. */
const codesPerRead = 262_144;

/** States that the state byte tells alone: the bytes are searched, not looked at one by one. */
async function findByCode(search: Search, state: FinalTaskState | 'delayed'): Promise<Found> {
  const { redis, info, query, isOfClass } = search;
  const { nodeCount, handle } = info.facts;
  const tasks: FoundTask[] = [];
  for (let from = query.from; from < nodeCount; from += codesPerRead) {
    const codes = await redis.getrangeBuffer(handle.names.state, from, from + codesPerRead - 1);
    for (let at = codes.indexOf(stateCode[state]); at >= 0; ) {
      const number = from + at;
      if (isOfClass(number)) {
        if (tasks.length === query.limit) return { tasks, next: number };
        tasks.push({ number, state });
      }
      at = codes.indexOf(stateCode[state], at + 1);
    }
  }
  return { tasks, next: null };
}

/** Nodes that one step of a listing looks at: all that match, or few do. */
const nodesPerPage = 1_024;
const nodesPerScan = 65_536;

async function findByStates(search: Search): Promise<Found> {
  const { redis, info, query } = search;
  const { nodeCount } = info.facts;
  const isFiltered = query.state !== undefined || query.class !== undefined;
  const tasks: FoundTask[] = [];
  let at = query.from;
  while (at < nodeCount && tasks.length < query.limit) {
    const to = Math.min(nodeCount, at + (isFiltered ? nodesPerScan : nodesPerPage));
    const reader = await readStates(redis, info, at, to);
    at = takeMatching(search, reader, { from: at, to }, tasks);
  }
  return { tasks, next: at < nodeCount ? at : null };
}

/** Adds what matches until the page is full; returns where it stopped. */
function takeMatching(
  { query, isOfClass }: Search,
  reader: StateReader,
  { from, to }: { readonly from: number; readonly to: number },
  tasks: FoundTask[],
): number {
  for (let at = from; at < to; at++) {
    if (tasks.length >= query.limit) return at;
    if (!isOfClass(at) || reader.isRetired(at)) continue;
    const state = reader.stateOf(at);
    if (query.state === undefined || query.state === state) tasks.push({ number: at, state });
  }
  return to;
}

/** Tells tasks of a class (of any, where none is named) from others and from barriers. */
async function classFilter(
  info: RunInfo,
  name: string | undefined,
): Promise<(number: number) => boolean> {
  const [ranges, groups] = await Promise.all([info.ranges(), info.groups()]);
  const wanted = groups.map(
    (group) => group.kind !== 'barrier' && (name === undefined || group.class === name),
  );
  return (number) => wanted[groupAt(ranges, number)] ?? false;
}
