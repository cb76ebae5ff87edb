import type { FinalTaskState } from '@runnel/core';
import { examineRun } from '@runnel/engine';
import { GrowingReference, nodeOf } from '../growing-graph.ts';
import { type Grown, type Growth, handsOn } from './growth.ts';
import { names, namespace, runId } from './scene.ts';
import type { World } from './world.ts';

type Fields = Readonly<Record<string, string>>;

/** Everything that is wrong with a run whose tasks generated tasks, besides what is left of it. */
export async function findWrongsOfGrowth(world: World, growth: Growth): Promise<readonly string[]> {
  const { redis } = world;
  const [grown, meta, tries, outputs, findings] = await Promise.all([
    growth.read(),
    redis.hgetall(names.meta),
    redis.hgetall(names.tries),
    redis.hgetall(names.outputs),
    examine(world),
  ]);
  const isHalted = meta['halt'] !== undefined;
  return [
    ...findings,
    ...(isHalted ? [] : wrongStates(world, growth, grown)),
    ...(isHalted || isChanged(world) ? [] : wrongAttempts(growth, grown, tries)),
    ...wrongSets(grown, tries),
    ...wrongOutputs(growth, grown, { tries, outputs }),
    ...wrongEnd(grown, meta),
  ];
}

function isChanged({ changed }: World): boolean {
  return changed.has('retry') || changed.has('cancel-class');
}

/** Counters, words and lists against each other. */
async function examine({ redis, nowMs }: World): Promise<readonly string[]> {
  const jobs = { findLost: async () => [] };
  const { findings } = await examineRun({ redis, namespace, jobs, now: () => nowMs }, runId);
  return findings.map(({ kind, task, detail }) => `${kind} ${task ?? ''} ${detail}`);
}

/** Against the model; only of the class that was cancelled some may have ended as that, or failed on the attempt before. */
function wrongStates(
  { changed, scene }: World,
  growth: Growth,
  { tasks, attempts }: Grown,
): readonly string[] {
  const given = (id: string): FinalTaskState | undefined => {
    const isOfClass = changed.has('cancel-class') && id === growth.changedClass;
    if (!isOfClass && !scene.isCancelled) return undefined;
    const state = tasks.get(id)?.state;
    const isCutOff = state === 'failed' && nodeOf(growth.graph, id)?.isRetried === true;
    return state === 'cancelled' || isCutOff ? state : undefined;
  };
  const attemptOf = (id: string): number => attempts.get(id) ?? 1;
  const { states } = new GrowingReference(growth.graph, { given, attemptOf });
  return [...new Set([...states.keys(), ...tasks.keys()])].flatMap((id) => {
    const [is, be] = [tasks.get(id)?.state ?? 'not there', states.get(id) ?? 'not there'];
    // A generator may be cancelled whose set has joined: nothing of it starts. One that was to run again leaves what
    // its last attempt generated, which can still be reused.
    const stays = is === 'skipped' || (is !== undefined && changed.has('retry'));
    const isLeft = be === 'not there' && isWithinLost(id, states) && stays;
    return is === be || isLeft ? [] : [`${id} is ${is}, not ${be}`];
  });
}

/** Whether a generator of it was cancelled, or failed. */
function isWithinLost(id: string, states: ReadonlyMap<string, string>): boolean {
  const names = id.split('.');
  return names.some((_, count) => {
    const state = states.get(names.slice(0, count).join('.'));
    return state === 'cancelled' || state === 'failed';
  });
}

function wrongAttempts(growth: Growth, { tasks }: Grown, tries: Fields): readonly string[] {
  return [...tasks].flatMap(([id, { number, state }]) => {
    if (state !== 'succeeded' && state !== 'failed') return [];
    const be = nodeOf(growth.graph, id)?.isRetried === true ? 2 : 1;
    const made = Number(tries[number] ?? 1);
    return made === be ? [] : [`${id} made ${made} attempts, not ${be}`];
  });
}

/** What a generator generated is of the attempt that counted. */
function wrongSets({ tasks, attempts }: Grown, tries: Fields): readonly string[] {
  return [...attempts].flatMap(([id, attempt]) => {
    const task = tasks.get(id);
    const last = Number(tries[task?.number ?? -1] ?? 1);
    if (task?.state !== 'succeeded' || last === attempt) return [];
    return [`${id} made attempt ${last}, and the set is of ${attempt}`];
  });
}

function wrongOutputs(
  growth: Growth,
  { tasks }: Grown,
  { tries, outputs }: { readonly tries: Fields; readonly outputs: Fields },
): readonly string[] {
  return [...tasks].flatMap(([id, { number, state }]) => {
    const generates = nodeOf(growth.graph, id)?.set != null;
    const hands = state === 'succeeded' && handsOn(id) && !generates;
    const wanted = hands ? JSON.stringify({ attempt: Number(tries[number] ?? 1) }) : '';
    const output = outputs[number] ?? '';
    return output === wanted ? [] : [`${id} has the output ${output}, not ${wanted}`];
  });
}

function wrongEnd({ tasks }: Grown, meta: Fields): readonly string[] {
  const states = [...tasks.values()].map(({ state }) => state);
  const isBad = states.includes('failed');
  const isCancelled = states.includes('cancelled') && (meta['halt'] === 'cancel' || !isBad);
  const ended = isBad ? 'failed' : 'succeeded';
  const run = isCancelled ? 'cancelled' : ended;
  const open = [...tasks].filter(([, { state }]) => state === undefined);
  return [
    ...(meta['state'] === run ? [] : [`the run is ${meta['state']}, not ${run}`]),
    ...open.map(([id]) => `${id} is not final`),
  ];
}
