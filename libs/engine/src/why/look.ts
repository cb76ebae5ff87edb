import type { TaskState } from '@runnel/core';
import type { JobPlace } from '@runnel/queue';
import {
  NodePages,
  type PlannedTask,
  type RedisClient,
  type RunInfo,
  type RunMoment,
  readMoment,
  readStates,
  readTask,
  stateCode,
} from '@runnel/store';
import type { NamedTask } from './reason.ts';

/** Where deliveries are in BullMQ. */
export interface JobFinder {
  findJobs(
    queue: string,
    runId: string,
    deliveries: readonly { readonly carrier: number; readonly cutAtS: number }[],
  ): Promise<readonly JobPlace[]>;
  countJobs(queue: string): Promise<{ readonly waiting: number; readonly active: number }>;
}

export interface WhyContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly jobs: JobFinder;
  now(): number;
}

/** A run as it was read to explain something of it. */
export interface RunGlance {
  readonly context: WhyContext;
  readonly info: RunInfo;
  readonly moment: RunMoment;
  readonly now: number;
}

/** A task as it was read. */
export interface Look extends RunGlance {
  readonly task: PlannedTask;
  readonly state: TaskState;
  /** The state byte: it tells a task that a halted run has marked. */
  readonly code: number;
  readonly detail: Awaited<ReturnType<typeof readTask>>;
}

export async function lookAtTask(
  context: WhyContext,
  info: RunInfo,
  number: number,
): Promise<Look> {
  const { redis } = context;
  const { handle } = info.facts;
  const [moment, detail, code] = await Promise.all([
    readMoment(redis, handle),
    readTask(redis, info, number),
    redis.getrangeBuffer(handle.names.state, number, number),
  ]);
  return {
    ...{ context, info, moment, detail, now: context.now() },
    ...{ task: detail.task, state: detail.state },
    code: code[0] ?? stateCode.none,
  };
}

/** Names tasks, with their states as they are now. */
export async function nameTasks(
  { context, info }: Pick<RunGlance, 'context' | 'info'>,
  numbers: readonly number[],
): Promise<readonly NamedTask[]> {
  return await Promise.all(
    numbers.map(async (number) => {
      const [task, states] = await Promise.all([
        info.task(number),
        readStates(context.redis, info, number, number + 1),
      ]);
      return { number, id: task.id, state: states.stateOf(number) };
    }),
  );
}

export function pagesOf({ context, info }: Pick<RunGlance, 'context' | 'info'>): NodePages {
  return new NodePages(context.redis, info.facts.handle);
}
