import { plural } from '@runnel/core';
import {
  type Delivery,
  isClaimed,
  type RunInfo,
  type RunSummary,
  readMoment,
  readNextDue,
  readWorkers,
} from '@runnel/store';
import { explainPlace, findJobs } from './delivery.ts';
import { nameTasks, type RunGlance, type WhyContext } from './look.ts';
import { explainParts } from './parts.ts';
import { explainQueue } from './ready.ts';
import { mostNamed, type Reason } from './reason.ts';
import { explainHolds } from './run-state.ts';
import { explainTroubles } from './troubles.ts';

/** Deliveries that are looked for in BullMQ, oldest first: what is stuck is among them. */
const mostLookedFor = 100;

/** What the tasks of a run that has not ended wait for, by reason: from kept counts and open deliveries. */
export async function explainRun(
  given: WhyContext,
  info: RunInfo,
  run: RunSummary,
): Promise<readonly Reason[]> {
  const context = countingOnce(given);
  const moment = await readMoment(context.redis, info.facts.handle);
  const glance: RunGlance = { context, info, moment, now: context.now() };
  const holds = explainHolds(glance);
  const isHeld = holds.length > 0;
  const [open, ready, delayed, parts, troubles] = await Promise.all([
    explainOpenDeliveries(glance),
    isHeld ? [] : explainReadyTasks(glance),
    isHeld ? [] : explainDelayedTasks(glance, run),
    isHeld ? [] : explainParts(glance),
    explainTroubles(glance),
  ]);
  return [
    ...troubles.first,
    ...holds,
    ...[...open, ...ready, ...delayed, ...parts].sort((a, b) => weightOf(b) - weightOf(a)),
    ...(isHeld ? [] : explainRest(run)),
    ...troubles.last,
  ];
}

/** Many deliveries wait in the same few queues. */
function countingOnce(context: WhyContext): WhyContext {
  const { jobs } = context;
  const counts = new Map<string, ReturnType<typeof jobs.countJobs>>();
  return {
    ...context,
    jobs: {
      findJobs: (queue, runId, deliveries) => jobs.findJobs(queue, runId, deliveries),
      countJobs(queue) {
        const known = counts.get(queue) ?? jobs.countJobs(queue);
        counts.set(queue, known);
        return known;
      },
    },
  };
}

/** What nobody mends by waiting comes first. */
function weightOf({ code }: Reason): number {
  if (code === 'pool-unserved') return 2;
  return code === 'lost' ? 1 : 0;
}

async function explainOpenDeliveries(glance: RunGlance): Promise<readonly Reason[]> {
  const { context, moment, now } = glance;
  const oldest = [...moment.deliveries].sort((a, b) => a.carrier - b.carrier);
  const some = oldest.slice(0, mostLookedFor);
  const [workers, places] = await Promise.all([
    readWorkers(context.redis, context.namespace, now),
    findJobs(glance, some),
  ]);
  const byReason = new Map<string, { reason: Reason; deliveries: Delivery[] }>();
  for (const [index, delivery] of some.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    const [reason] = await explainPlace(glance, { delivery, place, workers });
    if (reason === undefined) continue;
    const key = `${reason.code}.${delivery.queue}`;
    const known = byReason.get(key) ?? { reason, deliveries: [] };
    known.deliveries.push(delivery);
    byReason.set(key, known);
  }
  const reasons = [...byReason.values()].map(({ reason, deliveries }) =>
    sumUp(glance, reason, deliveries),
  );
  return [...(await Promise.all(reasons)), ...countOthers(oldest.slice(mostLookedFor))];
}

/** One reason for all deliveries that have it. */
async function sumUp(
  glance: RunGlance,
  reason: Reason,
  deliveries: readonly Delivery[],
): Promise<Reason> {
  const tasks = deliveries.flatMap(openTasks);
  const detail =
    reason.code === 'running'
      ? `workers have ${plural(tasks.length, 'task')} of it`
      : `${plural(tasks.length, 'task')}: ${reason.detail}`;
  return {
    ...reason,
    detail,
    count: tasks.length,
    tasks: await nameTasks(glance, tasks.slice(0, mostNamed)),
  };
}

function openTasks({ ids, open }: Delivery): readonly number[] {
  return ids.filter((_, place) => open[place]);
}

/** Of more deliveries than are looked for only what the store itself says. */
function countOthers(deliveries: readonly Delivery[]): readonly Reason[] {
  const claimed = deliveries.filter(isClaimed).flatMap(openTasks).length;
  const unclaimed = deliveries.flatMap(openTasks).length - claimed;
  const reasons: Reason[] = [];
  if (claimed > 0) {
    const detail = `workers have ${plural(claimed, 'more task')} of it`;
    reasons.push({ code: 'running', detail, count: claimed });
  }
  if (unclaimed > 0) {
    const detail = `${plural(unclaimed, 'more task')} of it wait in deliveries behind these`;
    reasons.push({ code: 'queued', detail, count: unclaimed });
  }
  return reasons;
}

async function explainReadyTasks(glance: RunGlance): Promise<readonly Reason[]> {
  const { queues } = glance.info.facts.handle;
  const reasons = await Promise.all(
    queues.map(async (_, queue) => {
      const ready = Number(glance.moment.meta[`r${queue}`] ?? 0);
      if (ready === 0) return [];
      const [first] = await explainQueue(glance, queue);
      if (first === undefined) return [];
      const detail = `${plural(ready, 'ready task')}: ${first.detail}`;
      return [{ ...first, detail, count: ready }];
    }),
  );
  return reasons.flat();
}

async function explainDelayedTasks(
  glance: RunGlance,
  { counts }: RunSummary,
): Promise<readonly Reason[]> {
  const { context, info } = glance;
  if (counts.delayed === 0) return [];
  const next = await readNextDue(context.redis, context.namespace, info.facts.handle.id);
  const detail = `${plural(counts.delayed, 'task failed and waits for its', 'tasks failed and wait for their')} next attempt`;
  if (next === null) return [{ code: 'delayed', detail, count: counts.delayed }];
  return [
    {
      code: 'delayed',
      detail: `${detail}, the first at ${new Date(next.at).toISOString()}`,
      count: counts.delayed,
      tasks: await nameTasks(glance, [next.task]),
      until: next.at,
    },
  ];
}

/** Tasks that only wait for others, and what is on the way between the two. */
function explainRest(run: RunSummary): readonly Reason[] {
  const { counts, backlog } = run;
  const reasons: Reason[] = [];
  if (backlog > 0) {
    const detail = `the ends of tasks are being passed on (${plural(backlog, 'entry', 'entries')} in the backlog)`;
    reasons.push({ code: 'backlog', detail });
  }
  if (counts.waiting > 0) {
    const detail = `${plural(counts.waiting, 'task waits for its parents', 'tasks wait for their parents')}`;
    reasons.push({ code: 'parents', detail, count: counts.waiting });
  }
  const open = counts.waiting + counts.ready + counts.queued + counts.running + counts.delayed;
  if (open === 0 && backlog === 0) {
    const detail = 'all its tasks have ended: its next turn, within 2 s, ends it';
    reasons.push({ code: 'ending', detail });
  }
  return reasons;
}
