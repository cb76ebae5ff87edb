import { type Call, readCalls } from '../calls.ts';
import { independent } from '../graph.ts';
import { mixed, mixedOf } from '../mixed.ts';
import { atLeast, atMost } from '../results.ts';
import type { Spec } from '../specs.ts';
import { measureBullmq } from '../systems/bullmq.ts';
import { measureRunnel } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const name = 'W9';
/** The tasks wait without computing, so there may be more at once than the machine has cores. */
const slots = 16;

/** Tasks of one delivery follow each other in a thread at once; between two deliveries lie several calls of Redis. */
const sameDeliveryWithinMs = 0.25;
/** A task that started so long after the first of its delivery waited for a slow one. */
const behindSlowMs = 1_000;

export const w9: Workload = {
  name,
  about: `function tasks that wait, ${mixed.map(({ ms }) => `${ms} ms`).join(', ')} in turn, ${slots} slots`,
  cases(scale) {
    const n = scale(20_000);
    return [
      {
        name,
        n,
        systems: {
          runnel: () =>
            measureRunnel({ n, spec: specOfMixed(n), concurrency: slots, examine: measureSlots }),
          'bullmq by hand': () =>
            measureBullmq({
              graph: independent(n),
              kind: 'wait',
              concurrency: slots,
              examine: measureBusy,
            }),
        },
      },
    ];
  },
  judge(results) {
    const figures = results.find(name, 'runnel')?.figures;
    return [
      atLeast('% of the slots busy', figures?.['busyPercent'], 90),
      atMost('tasks behind a slow one of their delivery', figures?.['tasksBehindSlow'], 0),
    ];
  },
};

function specOfMixed(count: number): Spec {
  return {
    head: { defaults: { executor: 'function' } },
    *tasks() {
      for (let task = 0; task < count; task++) {
        const { class: kind, ms } = mixedOf(task);
        yield { class: kind, id: `t${task}`, details: { name: 'wait', input: { task, ms } } };
      }
    },
  };
}

function measureBusy(dir: string): Partial<Measurement> {
  return { figures: { busyPercent: busyPercent(readCalls(dir)) } };
}

function measureSlots(dir: string): Partial<Measurement> {
  const calls = readCalls(dir);
  const waits = waitsInDelivery(calls);
  return {
    figures: {
      busyPercent: busyPercent(calls),
      tasksBehindSlow: waits.filter((ms) => ms >= behindSlowMs).length,
      longestWaitInDeliveryMs: waits.reduce((most, ms) => Math.max(most, ms), 0),
    },
  };
}

/** Of all slots, from the first start to the last end. */
function busyPercent(calls: readonly Call[]): number {
  let [from, to, busy] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const { startMs, endMs } of calls) {
    from = Math.min(from, startMs);
    to = Math.max(to, endMs);
    busy += endMs - startMs;
  }
  return (100 * busy) / (slots * (to - from));
}

/** How long each task waited from the start of its delivery, where it was not the first. */
function waitsInDelivery(calls: readonly Call[]): readonly number[] {
  const waits: number[] = [];
  let first: Call | undefined;
  let previous: Call | undefined;
  for (const call of calls) {
    // A delivery is of one class; one of another class may have waited for the thread as well.
    const follows =
      previous?.lane === call.lane &&
      mixedOf(previous.task).class === mixedOf(call.task).class &&
      call.startMs - previous.endMs < sameDeliveryWithinMs;
    if (follows && first !== undefined) waits.push(call.startMs - first.startMs);
    else first = call;
    previous = call;
  }
  return waits;
}
