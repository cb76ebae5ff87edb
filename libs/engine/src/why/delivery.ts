import { plural } from '@runnel/core';
import type { JobPlace } from '@runnel/queue';
import {
  type Delivery,
  isClaimed,
  readWorkers,
  sumSlots,
  type WorkerRecord,
  workerGoneMs,
} from '@runnel/store';
import type { Look, RunGlance } from './look.ts';
import { poolOf, unserved } from './ready.ts';
import type { Reason } from './reason.ts';

/** A task in an open delivery: where that is. */
export async function explainDelivery(look: Look): Promise<readonly Reason[]> {
  const { moment, task, context, now } = look;
  const delivery = moment.deliveries.find(({ ids, open }) =>
    ids.some((id, place) => id === task.number && open[place]),
  );
  // It ended between two reads.
  if (delivery === undefined) return [];
  const workers = await readWorkers(context.redis, context.namespace, now);
  const [place = goneJob] = await findJobs(look, [delivery]);
  const reasons = await explainPlace(look, { delivery, place, workers });
  const attempt = delivery.attempts[delivery.ids.indexOf(task.number)] ?? 1;
  return reasons.map((reason) => {
    if (reason.code !== 'running') return reason;
    return { ...reason, detail: `attempt ${attempt}: ${reason.detail}` };
  });
}

const goneJob: JobPlace = { state: 'gone', worker: null, startedAt: null };

/** Where BullMQ has deliveries of a run. */
export async function findJobs(
  { context, info }: RunGlance,
  deliveries: readonly Delivery[],
): Promise<readonly JobPlace[]> {
  const { handle } = info.facts;
  return await Promise.all(
    deliveries.map(async (delivery) => {
      const queue = handle.queues[delivery.queue] ?? '';
      const [place = goneJob] = await context.jobs.findJobs(queue, handle.id, [delivery]);
      return place;
    }),
  );
}

interface Placed {
  readonly delivery: Delivery;
  readonly place: JobPlace;
  readonly workers: readonly WorkerRecord[];
}

/** What an open delivery waits for, from where its job is and who lives. */
export async function explainPlace(glance: RunGlance, placed: Placed): Promise<readonly Reason[]> {
  switch (placed.place.state) {
    case 'active':
      return [explainActive(placed)];
    case 'waiting':
      return await explainQueued(glance, placed);
    default:
      return [explainGone(glance, placed)];
  }
}

function explainActive({ delivery, place, workers }: Placed): Reason {
  const { worker, startedAt } = place;
  const isAlive = workers.some(({ name }) => name === worker);
  const since = startedAt === null ? {} : { since: startedAt };
  if (!isAlive) {
    const detail = `worker ${worker ?? '(unknown)'} had its delivery and gave no sign for ${workerGoneMs / 1000} s; it starts again elsewhere within about 10 s`;
    return { code: 'lost', detail, ...since };
  }
  const open = delivery.open.filter((isOpen) => isOpen).length;
  const beside =
    delivery.ids.length === 1
      ? ''
      : ` in a delivery of ${delivery.ids.length} tasks, of which ${open} have not ended`;
  return { code: 'running', detail: `worker ${worker} runs it${beside}`, ...since };
}

async function explainQueued(
  { context, info }: RunGlance,
  { delivery, workers }: Placed,
): Promise<readonly Reason[]> {
  const queue = info.facts.handle.queues[delivery.queue] ?? '';
  const slots = sumSlots(workers);
  const since = delivery.cutAtS * 1_000;
  const reasons: Reason[] = [];
  if (delivery.starts > 0) {
    const detail = 'the worker that had its delivery is gone; it is queued again';
    reasons.push({ code: 'lost', detail });
  }
  if ((slots.get(queue) ?? 0) === 0) return [...reasons, { ...unserved(queue, slots), since }];
  const { waiting, active } = await context.jobs.countJobs(queue);
  const detail = `its delivery is in BullMQ: ${plural(waiting, 'delivery', 'deliveries')} of all runs wait for ${poolOf(queue)}, ${active} are being worked on, and its workers have ${plural(slots.get(queue) ?? 0, 'slot')}`;
  return [...reasons, { code: 'queued', detail, since }];
}

/** Not in BullMQ: not yet, or not any more. */
function explainGone({ moment }: RunGlance, { delivery }: Placed): Reason {
  const since = delivery.cutAtS * 1_000;
  if (moment.outbox.has(delivery.carrier)) {
    const detail = `its delivery (${delivery.carrier}) was cut and is not in BullMQ yet; a listener puts it there within 2 s`;
    return { code: 'outbox', detail, since };
  }
  const what = isClaimed(delivery)
    ? 'its worker has ended its job, and the outcomes are on their way or lost'
    : 'BullMQ does not know its delivery any more';
  const detail = `${what}; a listener starts it again within about 10 s where they do not come`;
  return { code: 'lost', detail, since };
}
