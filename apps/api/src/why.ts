import type { WireReason, WireWhy } from '@runnel/client';
import { type Reason, type Why, type WhyContext, whyRun, whyTask } from '@runnel/engine';
import { DeliveryQueues } from '@runnel/queue';
import type { RunInfo } from '@runnel/store';
import type { ApiContext } from './context.ts';
import { openInfo, toIso } from './run-answer.ts';

/** What a run waits for, or why it ended so. */
export function askWhyRun(context: ApiContext, id: string): Promise<WireWhy> {
  return withQueues(context, (why) => whyRun(why, id, (run) => openInfo(context, run)));
}

/** The same for a task. */
export function askWhyTask(context: ApiContext, info: RunInfo, number: number): Promise<WireWhy> {
  return withQueues(context, (why) => whyTask(why, info, number));
}

async function withQueues(
  { redis, settings, clock, logger }: ApiContext,
  ask: (context: WhyContext) => Promise<Why>,
): Promise<WireWhy> {
  const { namespace } = settings;
  const onError = (error: Error): void => logger.warn({ err: error }, error.message);
  await using jobs = new DeliveryQueues({ connection: redis, namespace, onError });
  return toWire(await ask({ redis, namespace, jobs, now: () => clock.now() }));
}

function toWire({ subject, state, summary, reasons }: Why): WireWhy {
  return { subject, state, summary, reasons: reasons.map(toWireReason) };
}

function toWireReason({ since, until, tasks, ...rest }: Reason): WireReason {
  return {
    ...rest,
    ...(tasks === undefined ? {} : { tasks: [...tasks] }),
    ...(since === undefined ? {} : { since: toIso(since) }),
    ...(until === undefined ? {} : { until: toIso(until) }),
  };
}
