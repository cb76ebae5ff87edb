import type { FinalTaskState } from '@runnel/core';
import { stateCode } from '@runnel/store';
import { names } from './scene.ts';
import type { World } from './world.ts';

const finals: readonly FinalTaskState[] = [
  'succeeded',
  'failed',
  'skipped',
  'upstream-failed',
  'cancelled',
];
const byCode = new Map<number, FinalTaskState>(finals.map((state) => [stateCode[state], state]));

/** The state of each node as it lies in Redis; undefined where it is not final. */
export async function readFinalStates(
  world: World,
): Promise<readonly (FinalTaskState | undefined)[]> {
  const raw = await world.redis.getBuffer(names.state);
  return world.graph.map((_, id) => byCode.get(raw?.[id] ?? 0));
}

/** Whether something is left of an edit that broke off: it goes as a submission that did. */
export async function readHasShadow({ redis, changed }: World): Promise<boolean> {
  return changed.has('edit') && (await redis.zcard(names.submitting)) > 0;
}

/** Whether the run has ended. */
export async function readHasEnded(world: World): Promise<boolean> {
  const state = await world.redis.hget(names.meta, 'state');
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}
