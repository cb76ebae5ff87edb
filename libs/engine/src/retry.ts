import { randomBytes } from 'node:crypto';
import {
  beingEdited,
  beingSubmitted,
  ConflictError,
  type FinalTaskState,
  failpoint,
  noSuchRun,
} from '@runnel/core';
import {
  closeRetry,
  fateOf,
  groupAt,
  type RedisClient,
  type RetrySource,
  RunInfo,
  readRetrySource,
  readRunFacts,
  startRetry,
} from '@runnel/store';
import { selectNodes, type TaskSelector } from './select-tasks.ts';

/** Of a class, or of all: tasks that are brought back, and those that are left as they are. */
export interface RetryCounts {
  readonly reset: number;
  /** Descendants that were ready, queued, running or delayed already. */
  readonly leftRunning: number;
}

/** Without a run that would change: nothing was selected, or it was only asked what would be. */
export interface RetryAnswer extends RetryCounts {
  readonly isNew: boolean;
  /** In the order of the spec, those with something to count. */
  readonly classes: readonly (RetryCounts & { readonly class: string })[];
}

export interface RetryContext {
  readonly redis: RedisClient;
  readonly now: number;
  /** Who asks, as they say. */
  readonly by?: string | null;
}

/** What is tried again where nothing else is said. */
const defaultStates: readonly FinalTaskState[] = ['failed', 'cancelled'];

/**
 * Brings the selected tasks back, with all that hangs on them. Answers when the run is set going; the
 * listener does the rest in pages. The counts are those of the moment at which the run was read.
 * Throws NotFoundError for a task or class that there is not, ConflictError where the run can't be retried.
 */
export async function retryRun(
  context: RetryContext,
  info: RunInfo,
  request: { readonly selector: TaskSelector; readonly isDryRun: boolean },
): Promise<RetryAnswer> {
  const { redis } = context;
  for (let known = info, tries = 0; ; tries++) {
    const answer = await retryOnce(context, known, request);
    if (answer !== null) return answer;
    const { namespace, id } = info.facts.handle;
    if (tries === mostTries) throw refusal(id, 'retrying');
    known = new RunInfo(redis, await readRunFacts(redis, namespace, id));
  }
}

/** A run into which tasks come all the time is not read for ever. */
const mostTries = 5;

/** Null where tasks joined the run while it was read: more may hang on what was selected. */
async function retryOnce(
  { redis, now, by = null }: RetryContext,
  info: RunInfo,
  request: { readonly selector: TaskSelector; readonly isDryRun: boolean },
): Promise<RetryAnswer | null> {
  const { handle, nodeCount, createdAt, shape } = info.facts;
  const source = await readRetrySource(redis, handle, nodeCount);
  const { selector } = request;
  const selected = await selectNodes(redis, info, source, { selector, states: defaultStates });
  const ids = await closeRetry(source, selected);
  const counts = await countFates(info, source, ids);
  if (request.isDryRun || ids.length === 0) return { ...counts, isNew: false };
  const token = randomBytes(8).toString('hex');
  await failpoint('retry.before-begin');
  const answer = await startRetry(redis, handle, {
    token,
    createdAt,
    now,
    ids,
    shape,
    by,
  });
  await failpoint('retry.after-begin');
  if (answer === 'moved') return null;
  if (answer !== 'begun') throw refusal(handle.id, answer);
  return { ...counts, isNew: true };
}

function refusal(id: string, answer: string | null): Error {
  switch (answer) {
    case null:
      return noSuchRun(id);
    case 'retrying':
    case 'changing':
    case 'editing':
      return inFlight(id, answer);
    case 'halting':
      return new ConflictError(`run ${id} is being ended early: ask again when it has ended`);
    case 'submitting':
      return beingSubmitted(id);
    default:
      return new ConflictError(`run ${id} has not been started: there is nothing to retry`);
  }
}

/** Another change of tasks goes through its pages. */
export function inFlight(id: string, what: 'retrying' | 'changing' | 'editing'): ConflictError {
  if (what === 'editing') return beingEdited(id);
  const change = what === 'retrying' ? 'is being retried' : 'has tasks that are being cancelled';
  return new ConflictError(`run ${id} ${change}: ask again in a few seconds`, 'IN_FLIGHT');
}

interface Fates {
  reset: number;
  leftRunning: number;
}
type ClassFates = ReadonlyMap<string, Fates>;

async function countFates(
  info: RunInfo,
  source: RetrySource,
  ids: Uint32Array,
): Promise<Omit<RetryAnswer, 'isNew'>> {
  const [ranges, groups] = await Promise.all([info.ranges(), info.groups()]);
  const byClass = new Map<string, Fates>();
  // By group; none for barriers.
  const counts = groups.map(({ kind, class: name }) => {
    if (kind === 'barrier') return null;
    const own = byClass.get(name) ?? { reset: 0, leftRunning: 0 };
    byClass.set(name, own);
    return own;
  });
  for (const id of ids) {
    const own = counts[groupAt(ranges, id & 0xff_ff_ff)] ?? null;
    if (own !== null) countFate(own, fateOf(source, id));
  }
  return sumFates(byClass);
}

function countFate(own: Fates, fate: ReturnType<typeof fateOf>): void {
  if (fate === 'reset') own.reset++;
  else if (fate === 'left') own.leftRunning++;
}

function sumFates(byClass: ClassFates): Omit<RetryAnswer, 'isNew'> {
  const all = { reset: 0, leftRunning: 0 };
  for (const own of byClass.values()) {
    all.reset += own.reset;
    all.leftRunning += own.leftRunning;
  }
  const counted = [...byClass].filter(([, own]) => own.reset + own.leftRunning > 0);
  return { ...all, classes: counted.map(([name, own]) => ({ class: name, ...own })) };
}
