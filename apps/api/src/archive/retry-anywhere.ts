import type { TaskSelector } from '@runnel/client';
import { type RetryAnswer, retryRun } from '@runnel/engine';
import type { RunInfo } from '@runnel/store';
import type { ApiContext } from '../context.ts';

export interface RetryCall {
  readonly selector: TaskSelector;
  readonly isDryRun: boolean;
  readonly by: string | null;
}

/** Retries a run that is in Redis, of its own or brought back; one that was brought back is here to stay then. */
export async function retryAnywhere(
  context: ApiContext,
  info: RunInfo,
  { selector, isDryRun, by }: RetryCall,
): Promise<RetryAnswer> {
  const retrying = { redis: context.redis, now: context.clock.now(), by };
  const changesNothing = isDryRun || (await hasNothingToRetry(context, info, selector));
  return await context.fence.run(() =>
    retryRun(retrying, info, { selector, isDryRun: changesNothing }),
  );
}

/** Of a run that was brought back, and stays a copy then. */
async function hasNothingToRetry(
  { runs, redis, clock, fence }: ApiContext,
  info: RunInfo,
  selector: TaskSelector,
): Promise<boolean> {
  const { id } = info.facts.handle;
  if (!(await runs.read(id)).isArchived) return false;
  const request = { selector, isDryRun: true };
  const { reset, leftRunning } = await retryRun({ redis, now: clock.now() }, info, request);
  if (reset + leftRunning === 0) return true;
  await fence.run(() => runs.keep(id));
  return false;
}
