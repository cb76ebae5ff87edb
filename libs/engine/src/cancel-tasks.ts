import { randomBytes } from 'node:crypto';
import { failpoint } from '@runnel/core';
import {
  type CancelPage,
  cancelPage,
  cancelTasksChannel,
  encodeTold,
  type OpenRunHandle,
  type RedisClient,
  type RunInfo,
  startCancel,
} from '@runnel/store';
import {
  type ChangeContext,
  type PartAnswer,
  type PartChange,
  refusalOf,
  selectOpen,
  toldOf,
} from './select-open.ts';

/** Pages that who asks goes through itself: what a few ms do is done with the answer. Where one does not mark all, none follow. */
const pagesAtOnce = 4;
/** Rows of numbers that are kept of one cancel. */
const mostSpans = 100;

/**
 * Cancels tasks of a run that goes on: those that do not run end at once, and workers end the others.
 * Their children end by the usual rules. Answers after a few pages; the listener does the rest.
 * Throws NotFoundError for a task or class that there is not, ConflictError where it can't be.
 */
export async function cancelTasks(
  context: ChangeContext,
  info: RunInfo,
  { selector, isDryRun }: PartChange,
): Promise<PartAnswer> {
  const { redis, now, by } = context;
  const { handle, createdAt } = info.facts;
  const { nodes: ids, ...counts } = await selectOpen(redis, info, selector);
  if (isDryRun || ids.length === 0) return { ...counts, isNew: false };
  await failpoint('part-cancel.before-begin');
  const answer = await startCancel(redis, handle, {
    ...{ token: randomBytes(8).toString('hex'), createdAt, now, ids },
    told: encodeTold(toldOf(by, counts)),
    record: { at: now, by, spans: spansOf(ids) },
  });
  await failpoint('part-cancel.after-begin');
  if (answer !== 'begun') throw refusalOf(handle.id, answer);
  // From now on reserved deliveries have to be claimed, and the claim knows.
  await redis.publish(cancelTasksChannel(handle.namespace), handle.id);
  for (let page = 0; page < pagesAtOnce; page++) {
    const done = await cancelStep(redis, handle, now);
    if (done === null || done.phase < 2) break;
  }
  return { ...counts, isNew: true };
}

/** One page of a cancel of tasks; workers are told as soon as they can see what is theirs. */
export async function cancelStep(
  redis: RedisClient,
  run: OpenRunHandle,
  now: number,
): Promise<CancelPage | null> {
  await failpoint('part-cancel.before-page');
  const page = await cancelPage(redis, run, now);
  await failpoint('part-cancel.after-page');
  if (page?.isVisible === true) await redis.publish(cancelTasksChannel(run.namespace), run.id);
  return page;
}

/** Rows of following numbers; null where they are many. */
function spansOf(ids: Uint32Array): [number, number][] | null {
  const spans: [number, number][] = [];
  for (const id of ids) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] === id - 1) last[1] = id;
    else if (spans.length === mostSpans) return null;
    else spans.push([id, id]);
  }
  return spans;
}
