import { inflateRawSync } from 'node:zlib';
import type { FinalTaskState } from '@runnel/core';
import { attemptEnds } from '../model.ts';
import { readFinalStates } from './read-states.ts';
import { hasOutput, names } from './scene.ts';
import type { World } from './world.ts';

type Fields = Readonly<Record<string, string>>;

/** What edits have to do with, as it lies in Redis. */
interface Left {
  readonly states: readonly (FinalTaskState | undefined)[];
  readonly meta: Fields;
  readonly tries: Fields;
  readonly bases: Fields;
  readonly outputs: Fields;
  readonly spec: Buffer | null;
}

/** What edits left behind that must not be; the rest of the run is looked at as any other. */
export async function findWrongsOfEdits(world: World): Promise<readonly string[]> {
  if (!world.changed.has('edit')) return [];
  const { redis } = world;
  const [states, meta, tries, bases, outputs, spec] = await Promise.all([
    readFinalStates(world),
    redis.hgetall(names.meta),
    redis.hgetall(names.tries),
    redis.hgetall(names.bases),
    redis.hgetall(names.outputs),
    redis.getBuffer(names.spec),
  ]);
  const left = { states, meta, tries, bases, outputs, spec };
  return [
    ...wrongRevision(world, left),
    ...wrongOutputs(world, left),
    ...wrongAttempts(world, left),
    ...wronglyReused(world, left),
  ];
}

/** The one that was swapped in last is the run's, and there were as many as swaps. */
function wrongRevision({ revisions }: World, { meta, spec }: Left): readonly string[] {
  const revision = Number(meta['revision'] ?? 1);
  const stored = spec === null ? '' : inflateRawSync(spec).toString();
  const { count, current } = revisions;
  const expected = JSON.stringify(current === null ? {} : { revision: current });
  return [
    ...(revision === count + 1 ? [] : [`revision ${revision} after ${count} edits`]),
    ...(stored === expected ? [] : [`the spec is ${stored}, not ${expected}`]),
  ];
}

/** Of the attempt that counted, and of no task that did not succeed. */
function wrongOutputs({ graph }: World, { states, tries, outputs }: Left): readonly string[] {
  return graph.flatMap(({ isBarrier }, number) => {
    const hands = !isBarrier && states[number] === 'succeeded' && hasOutput(number);
    const wanted = hands ? JSON.stringify({ attempt: Number(tries[number] ?? 1) }) : '';
    const output = outputs[number] ?? '';
    return output === wanted ? [] : [`${number} has the output ${output}, not ${wanted}`];
  });
}

/** As many as its retries, since it was set back last. */
function wrongAttempts(
  { graph, scene, changed }: World,
  { states, meta, tries, bases }: Left,
): readonly string[] {
  const isCut = scene.isCancelled || changed.has('retry') || changed.has('cancel-class');
  if (isCut || meta['halt'] !== undefined) return [];
  return graph.flatMap((node, number) => {
    const state = states[number];
    if (node.isBarrier || (state !== 'succeeded' && state !== 'failed')) return [];
    const made = Number(tries[number] ?? 1) - Number(bases[number] ?? 0);
    const { length } = attemptEnds(node);
    return made === length ? [] : [`${number} made ${made} attempts, not ${length}`];
  });
}

/** Nothing came of a task anew that the last edit found done. */
function wronglyReused({ revisions, changed }: World, { tries, outputs }: Left): readonly string[] {
  if (changed.has('retry')) return [];
  return revisions.reused.flatMap(({ number, attempt, output }) => {
    const isSame = tries[number] === attempt && outputs[number] === output;
    return isSame ? [] : [`${number} was reused, and ran again`];
  });
}
