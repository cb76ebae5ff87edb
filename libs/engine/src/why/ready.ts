import { plural } from '@runnel/core';
import { parseQueueName } from '@runnel/queue';
import { readDemand, readGroupIndex, readWorkers, sumSlots } from '@runnel/store';
import { shareOf } from '../shares.ts';
import type { Look, RunGlance } from './look.ts';
import type { Reason } from './reason.ts';

/** A ready task: what keeps it from going into a delivery. */
export async function explainReady(look: Look): Promise<readonly Reason[]> {
  const { info, context, task } = look;
  const groups = await readGroupIndex(context.redis, info.facts.handle);
  return await explainQueue(look, groups[task.groupNumber]?.queue ?? 0);
}

/** What keeps ready tasks of one queue of a run from going into deliveries. */
export async function explainQueue(glance: RunGlance, queue: number): Promise<readonly Reason[]> {
  const { info, moment, context, now } = glance;
  const { handle, priority } = info.facts;
  const { meta } = moment;
  const name = handle.queues[queue] ?? '';
  const ready = Number(meta[`r${queue}`] ?? 0);
  const flying = Number(meta[`i${queue}`] ?? 0);
  const [workers, demand] = await Promise.all([
    readWorkers(context.redis, context.namespace, now),
    readDemand(context.redis, context.namespace),
  ]);
  const slots = sumSlots(workers);
  const reasons = explainParallelism(meta);
  if ((slots.get(name) ?? 0) === 0) return [...reasons, unserved(name, slots)];
  const wanted = demand.get(name) ?? new Map<number, number>();
  const share = shareOf(slots.get(name) ?? 0, wanted, priority);
  const above = [...wanted].filter(([other, runs]) => other > priority && runs > 0);
  const figures = `${plural(flying, 'delivery of the run is', 'deliveries of the run are')} queued or running in ${poolOf(name)}, and ${plural(ready, 'task more of it is', 'tasks more of it are')} ready`;
  if (above.length > 0 && flying > 0) {
    const runs = above.reduce((sum, [, count]) => sum + count, 0);
    const detail = `${plural(runs, 'run')} of a higher priority take the slots of ${poolOf(name)}; ${figures}`;
    return [...reasons, { code: 'priority', detail, count: ready }];
  }
  // From as many deliveries as slots on, what is ready must be worth a delivery of its own.
  if (flying >= Math.min(share.window, share.slots)) {
    const detail = `${figures}: its share of the slots is taken`;
    return [...reasons, { code: 'window', detail, count: ready }];
  }
  if (reasons.length > 0) return reasons;
  const detail = `it goes into a delivery with the next turn of the run, within 2 s; ${figures}`;
  return [{ code: 'to-be-cut', detail, count: ready }];
}

function explainParallelism(meta: Readonly<Record<string, string>>): readonly Reason[] {
  const most = Number(meta['parallelism'] ?? 0);
  const open = Number(meta['open'] ?? 0);
  if (most === 0 || open < most) return [];
  const detail = `${plural(open, 'task of the run is', 'tasks of the run are')} queued or running, as many as its parallelism (${most}) allows`;
  return [{ code: 'parallelism', detail }];
}

/** A queue that nobody takes from, with those that somebody does. */
export function unserved(queue: string, slots: ReadonlyMap<string, number>): Reason {
  const served = [...slots].filter(([, count]) => count > 0).map(([name]) => poolOf(name));
  const rest = served.length === 0 ? 'no worker is alive' : `served are ${served.join(', ')}`;
  return {
    code: 'pool-unserved',
    detail: `no living worker serves ${poolOf(queue)}; ${rest}`,
    remedy: `start a worker with the pool ${parseQueueName(queue).pool} (RUNNEL_POOLS)`,
  };
}

/** A queue as users know it: a pool, and which of its two queues. */
export function poolOf(queue: string): string {
  const { pool, lane } = parseQueueName(queue);
  return lane === 'computes' ? `pool ${pool}` : `pool ${pool} (for what only waits)`;
}
