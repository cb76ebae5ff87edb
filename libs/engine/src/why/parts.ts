import { plural } from '@runnel/core';
import {
  type CancelRecord,
  hasPausedParts,
  type Paused,
  readCancels,
  readPaused,
  stateCode,
} from '@runnel/store';
import type { Look, RunGlance } from './look.ts';
import { byWhom, type Reason } from './reason.ts';

/** Classes that one sentence names. */
const mostClasses = 5;

/** What is done to this task, or to its class, while the run goes on. */
export async function explainPart(look: Look): Promise<readonly Reason[]> {
  const { moment, info, task, context, code } = look;
  const { handle } = info.facts;
  if (moment.meta['halt'] !== undefined) return [];
  if (code === stateCode.halting || code === stateCode.cancelling) {
    const cancel = await findCancel(look);
    const detail = `it is being cancelled${byWhom(cancel?.by)}, and ends as soon as its worker has ended it`;
    return [{ code: 'cancelling', detail, ...(cancel === null ? {} : { since: cancel.at }) }];
  }
  // What runs goes on.
  if (look.state === 'running' || !hasPausedParts(moment.meta)) return [];
  const { groups, tasks } = await readPaused(context.redis, handle);
  const group = groups.find(({ number }) => number === task.groupNumber);
  const own = tasks.find(({ number }) => number === task.number);
  const { class: name } = task.group;
  return [
    ...(group === undefined
      ? []
      : [paused(`its class ${name}`, `class ${name}`, group, handle.id)]),
    ...(own === undefined ? [] : [paused('it', `task ${task.id}`, own, handle.id)]),
  ];
}

function paused(what: string, option: string, { since, by }: Paused, run: string): Reason {
  return {
    code: 'paused',
    detail: `${what} is paused${byWhom(by)}: it does not start before that goes on`,
    remedy: `let it go on: runnel resume ${run} --${option}`,
    since,
  };
}

/** What is done to parts of a run that goes on. */
export async function explainParts(glance: RunGlance): Promise<readonly Reason[]> {
  const { meta } = glance.moment;
  const reasons: Reason[] = [];
  const ending = Number(meta['ending'] ?? 0);
  if (ending > 0 || Number(meta['cancel'] ?? 0) > 0) {
    const [last] = await readCancels(glance.context.redis, glance.info.facts.handle);
    const detail = `${plural(ending, 'task of it is', 'tasks of it are')} being cancelled${byWhom(last?.by)}, and end as soon as their workers have ended them`;
    reasons.push({ code: 'cancelling', detail, count: ending });
  }
  if (hasPausedParts(meta)) reasons.push(await explainPaused(glance));
  return reasons;
}

async function explainPaused({ context, info, moment }: RunGlance): Promise<Reason> {
  const { handle } = info.facts;
  const [paused, groups] = await Promise.all([readPaused(context.redis, handle), info.groups()]);
  const names = [...new Set(paused.groups.map(({ number }) => groups[number]?.class ?? ''))];
  const more = names.length - mostClasses;
  const classes = [
    ...names.slice(0, mostClasses).map((name) => `class ${name}`),
    ...(more > 0 ? [plural(more, 'more class', 'more classes')] : []),
    ...(paused.tasks.length > 0 ? [plural(paused.tasks.length, 'single task')] : []),
  ];
  const all = [...paused.groups, ...paused.tasks];
  const users = [...new Set(all.flatMap(({ by }) => by ?? []))];
  const parked = Number(moment.meta['parked'] ?? 0);
  const who = users.length === 1 ? byWhom(users[0]) : '';
  const isOne = classes.length === 1 && paused.tasks.length < 2;
  return {
    code: 'paused',
    detail: `${classes.join(', ')} ${isOne ? 'is' : 'are'} paused${who}: ${plural(parked, 'ready task')} of it wait for that`,
    count: parked,
    remedy: `let them go on: runnel resume ${handle.id}${names.map((name) => ` --class ${name}`).join('')}`,
    since: Math.min(...all.map(({ since }) => since)),
  };
}

/** The last cancel of tasks that was about this one; none where a cancel of the run may be the reason as well. */
export async function findCancel({
  context,
  info,
  moment,
  task,
}: Look): Promise<CancelRecord | null> {
  // Cancelled, retried, and then cancelled with the run.
  const { halt, retriedAt } = moment.meta;
  const since = halt === 'cancel' ? Number(retriedAt ?? 0) : 0;
  const cancels = await readCancels(context.redis, info.facts.handle);
  const own = cancels.find(
    ({ at, spans }) =>
      at >= since &&
      (spans === null ||
        spans.some(([first, last]) => first <= task.number && task.number <= last)),
  );
  return own ?? null;
}
