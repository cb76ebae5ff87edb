import { beingEdited, failpoint } from '@runnel/core';
import { pauseChannel, type RedisClient, readRun, setPaused } from '@runnel/store';

export interface PauseAnswer {
  /** Of the run before; `halting` for one that is being cancelled or stopped; null: it is gone. */
  readonly state: string | null;
  /** False where it was so already, or where the state does not allow it. */
  readonly isNew: boolean;
}

/**
 * Pauses a run: nothing more of it starts; what runs goes on, is settled, and makes its children
 * ready. Deliveries that nobody has claimed come back when a worker claims them. Those reserved for a
 * worker need no claim: it is told to claim all the same. Where that is lost, or this process dies before
 * it tells, what was reserved in the last 2 s may still start, and nothing later.
 */
export async function pauseRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  now: number,
  by: string | null = null,
): Promise<PauseAnswer> {
  const { facts } = await readRun(redis, namespace, id);
  await failpoint('pause.before');
  const answer = await setPaused(redis, facts.handle, 'pause', now, by);
  await failpoint('pause.after-flag');
  if (answer?.state === 'editing') throw beingEdited(id);
  // Told again where it was paused before: whoever asked then may have died before it told.
  if (answer?.state === 'running') await redis.publish(pauseChannel(namespace), id);
  await failpoint('pause.after-tell');
  return { state: answer?.state ?? null, isNew: answer?.isChanged === true };
}

/** Lets a paused run go on: the same call has the listener give it a turn. */
export async function resumeRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  now: number,
  by: string | null = null,
): Promise<PauseAnswer> {
  const { facts } = await readRun(redis, namespace, id);
  await failpoint('resume.before');
  const answer = await setPaused(redis, facts.handle, 'resume', now, by);
  await failpoint('resume.after');
  if (answer?.state === 'editing') throw beingEdited(id);
  return { state: answer?.state ?? null, isNew: answer?.isChanged === true };
}
