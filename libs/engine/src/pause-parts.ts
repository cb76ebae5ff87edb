import { ConflictError, failpoint } from '@runnel/core';
import {
  changePaused,
  encodeTold,
  groupAt,
  mostPaused,
  pauseChannel,
  type RunInfo,
  readPaused,
} from '@runnel/store';
import {
  type ChangeContext,
  type OpenSelector,
  type PartAnswer,
  type PartChange,
  refusalOf,
  selectOpen,
  toldOf,
} from './select-open.ts';
import { filterGroups, findTasks } from './select-tasks.ts';

/** Groups as wholes, with their tasks to come, or single tasks. */
interface Parts {
  readonly groups: readonly number[];
  readonly tasks: readonly number[];
}

/**
 * Pauses classes, with those of their tasks that become ready later, or single tasks: none of them starts;
 * what runs goes on. Throws NotFoundError for a task or class that there is not, ConflictError where it
 * can't be.
 */
export async function pauseParts(
  context: ChangeContext,
  info: RunInfo,
  change: PartChange,
): Promise<PartAnswer> {
  const { nodes, ...counts } = await selectOpen(context.redis, info, change.selector);
  const parts = isOfClasses(change.selector)
    ? { groups: await groupsOf(info, change.selector), tasks: [] }
    : { groups: [], tasks: [...nodes] };
  return await apply(context, info, { kind: 'pause', parts, counts, isDryRun: change.isDryRun });
}

/** Lets them go on. Tasks of a class that is paused stay so until their class goes on. */
export async function resumeParts(
  context: ChangeContext,
  info: RunInfo,
  change: PartChange,
): Promise<PartAnswer> {
  const { redis } = context;
  const { selector, isDryRun } = change;
  const { nodes, ...counts } = await selectOpen(redis, info, selector);
  const paused = (await readPaused(redis, info.facts.handle)).tasks.map(({ number }) => number);
  const selected = new Set([...nodes, ...(await findTasks(redis, info, selector.tasks ?? []))]);
  const groups = isOfClasses(selector) ? await groupsOf(info, selector) : [];
  const ranges = await info.ranges();
  const tasks = paused.filter(
    (task) => selected.has(task) || groups.includes(groupAt(ranges, task)),
  );
  return await apply(context, info, { kind: 'resume', parts: { groups, tasks }, counts, isDryRun });
}

/** Whether classes are meant, not some of their tasks. */
function isOfClasses({ tasks, classes, states, from }: OpenSelector): boolean {
  return classes !== undefined && [tasks, states, from].every((one) => one === undefined);
}

async function groupsOf(info: RunInfo, { classes }: OpenSelector): Promise<readonly number[]> {
  const isIn = await filterGroups(info, classes);
  return isIn.flatMap((is, group) => (is ? [group] : []));
}

async function apply(
  { redis, now, by }: ChangeContext,
  info: RunInfo,
  request: {
    readonly kind: 'pause' | 'resume';
    readonly parts: Parts;
    readonly counts: Omit<PartAnswer, 'isNew'>;
    readonly isDryRun: boolean;
  },
): Promise<PartAnswer> {
  const { kind, parts, counts, isDryRun } = request;
  const { handle, createdAt } = info.facts;
  const amount = parts.groups.length + parts.tasks.length;
  if (amount > mostPaused) throw tooMany(handle.id, `${amount} are selected`);
  if (isDryRun || amount === 0) return { ...counts, isNew: false };
  await failpoint('part-pause.before');
  const answer = await changePaused(redis, handle, {
    ...{ kind, createdAt, now, by, ...parts },
    told: encodeTold(toldOf(by, counts)),
  });
  await failpoint('part-pause.after');
  if (answer?.state === 'full') throw tooMany(handle.id, 'with these there would be more');
  if (answer?.state !== 'running') throw refusalOf(handle.id, answer?.state ?? null);
  // Told again where it was so before: whoever asked then may have died before it told.
  if (kind === 'pause') await redis.publish(pauseChannel(handle.namespace), handle.id);
  await failpoint('part-pause.after-tell');
  return { ...counts, isNew: answer.changed > 0 };
}

function tooMany(id: string, why: string): ConflictError {
  return new ConflictError(
    `of run ${id} at most ${mostPaused} tasks and groups of classes can be paused by themselves, and ${why}: pause their classes, or the run`,
  );
}
