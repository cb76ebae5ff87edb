import { beingEdited, failpoint, isFinalRunState, runStates } from '@runnel/core';
import {
  cancelChannel,
  haltPage,
  nudge,
  type OpenRunHandle,
  type RedisClient,
  readRun,
} from '@runnel/store';

/**
 * Cancels a run: sets the flag and does the first page; the owner of the run's shard does the rest.
 * Answers in a few round trips, however large the run is. `isNew` is false for a run that is being
 * cancelled already, or has ended: cancelling again changes nothing.
 */
export async function cancelRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  now: number,
  by: string | null = null,
): Promise<{ readonly isNew: boolean; readonly hasEnded: boolean }> {
  const { facts } = await readRun(redis, namespace, id);
  await failpoint('cancel.before');
  const answer = await haltPage(redis, facts.handle, 'cancel', now, by);
  await failpoint('cancel.after-first-page');
  if (answer === null) return { isNew: false, hasEnded: true };
  if (answer.state === 'editing') throw beingEdited(id);
  const state = runStates.find((known) => known === answer.state);
  const hasEnded = state !== undefined && isFinalRunState(state);
  if (answer.began) {
    await redis.publish(cancelChannel(namespace), id);
    await nudge(redis, namespace, id);
    await failpoint('cancel.after-tell');
  }
  return { isNew: answer.began, hasEnded };
}

/** Which of these runs are being cancelled, and of which tasks are: what a worker asks for its runs. */
export async function findCancelled(
  redis: RedisClient,
  runs: readonly OpenRunHandle[],
): Promise<{ readonly whole: readonly string[]; readonly parts: readonly OpenRunHandle[] }> {
  const fields = await Promise.all(
    runs.map((run) => redis.hmget(run.names.meta, 'halt', 'ending')),
  );
  return {
    whole: runs.filter((_, index) => fields[index]?.[0] === 'cancel').map((run) => run.id),
    parts: runs.filter((_, index) => Number(fields[index]?.[1] ?? 0) > 0),
  };
}
