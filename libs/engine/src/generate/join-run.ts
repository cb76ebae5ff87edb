import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttemptResult,
  type GeneratorDialect,
  type Group,
  LimitError,
  SpecError,
  unreachable,
} from '@runnel/core';
import type { ExpandOptions } from '@runnel/spec';
import {
  type AppendAnswer,
  appendSet,
  type Delivery,
  type GroupRoute,
  isRedisFull,
  type RedisClient,
  type RunInfoCache,
} from '@runnel/store';
import { describeBadSet, makeSet, readSet } from './make-set.ts';
import { bytesOfSet, findShortage, redisIsFull } from './room.ts';

/** What a worker needs to have generated tasks join their run. */
export interface GeneratorTools {
  readonly options: Omit<ExpandOptions, 'source' | 'locate'>;
  routeOf(group: Group): GroupRoute;
}

/** A generator's attempt that ended well. */
export interface Generation {
  readonly redis: RedisClient;
  readonly infos: RunInfoCache;
  readonly tools: GeneratorTools;
  readonly runId: string;
  readonly delivery: Pick<Delivery, 'carrier' | 'token'>;
  readonly task: { readonly number: number; readonly id: string; readonly attempt: number };
  readonly dialect: GeneratorDialect;
  readonly signal: AbortSignal;
  /** Without secrets. */
  readonly result: AttemptResult;
  /** Takes what those who look at the attempt are told while it waits. */
  tell(text: string): void;
}

/** Between two tries where another set is on its way, or the run is being retried. */
const pauseMs = 50;
const longestPauseMs = 1_000;

/**
 * Has the tasks that an attempt generated join the run, and says how the attempt ended: failed where they
 * are wrong, cancelled where the run is being ended early, or where the delivery is not this worker's any more.
 */
export async function joinRun(generation: Generation): Promise<AttemptResult> {
  if (generation.result.outcome !== 'succeeded') return generation.result;
  const { tasks, ...result } = generation.result;
  if (tasks === undefined) return invalid(noTasks);
  try {
    const set = readSet(generation.dialect, tasks);
    const room = new Room(generation);
    for (let wait = pauseMs; !generation.signal.aborted; ) {
      const answer = await append(generation, set, room);
      const end = endOf(answer, result);
      if (end !== null) return end;
      if (answer === 'moved') continue;
      await sleep(wait, undefined, { signal: generation.signal }).catch(() => undefined);
      wait = Math.min(longestPauseMs, wait * 2);
    }
    return { outcome: 'cancelled' };
  } catch (error: unknown) {
    if (error instanceof SpecError || error instanceof LimitError) {
      return invalid(describeBadSet(error));
    }
    throw error;
  }
}

const noTasks =
  'it is a generator, and its executor hands on no tasks: generators are commands (local) and functions (function)';

function invalid(message: string): AttemptResult {
  return { outcome: 'failed', reason: 'output-invalid', message };
}

async function append(
  generation: Generation,
  set: ReturnType<typeof readSet>,
  room: Room,
): Promise<AppendAnswer | 'full'> {
  const { redis, infos, tools, runId, delivery, task } = generation;
  // While it waits for room, it is not made again and again.
  if (!(await room.has())) return 'full';
  // What is kept may be of a shape that the run has no more.
  infos.forget(runId);
  const info = await infos.read(runId);
  const { options, routeOf } = tools;
  const { set: made, reuse } = await makeSet({ redis, info, generator: task, set, options });
  room.bytes = bytesOfSet(made);
  if (!(await room.has())) return 'full';
  const routes = made.plan.groups.map((group) => routeOf(group));
  return await room.unlessFull(() =>
    appendSet(redis, info, {
      ...{ delivery, set: made, routes, reuse },
      ...{ generator: task.number, attempt: task.attempt },
    }),
  );
}

/** Whether a set may join a Redis that is nearly full. It is told once why it waits. */
class Room {
  /** What the set takes, once that is known. */
  bytes = 0;
  readonly #generation: Generation;
  #isTold = false;

  constructor(generation: Generation) {
    this.#generation = generation;
  }

  async has(): Promise<boolean> {
    const shortage = await findShortage(this.#generation.redis, this.bytes);
    if (shortage !== null) this.#tell(shortage);
    return shortage === null;
  }

  /** A call that is refused by a full Redis has written nothing: it is made again later. */
  async unlessFull<T>(work: () => Promise<T>): Promise<T | 'full'> {
    try {
      return await work();
    } catch (error: unknown) {
      if (!isRedisFull(error)) throw error;
      this.#tell(redisIsFull);
      return 'full';
    }
  }

  #tell(text: string): void {
    if (!this.#isTold) this.#generation.tell(text);
    this.#isTold = true;
  }
}

/** Null: to be tried again. */
function endOf(answer: AppendAnswer | 'full', result: AttemptResult): AttemptResult | null {
  switch (answer) {
    case 'done':
    case 'retired':
      return result;
    case 'halting':
    case 'gone':
      return { outcome: 'cancelled' };
    case 'moved':
    case 'busy':
    case 'retrying':
    case 'full':
      return null;
    default:
      throw unreachable(answer);
  }
}
