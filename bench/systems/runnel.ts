import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, wireSubmitted } from '@runnel/client';
import { connectRedis, type RedisClient } from '@runnel/store';
import { type AppProcess, Stack } from '@runnel/testing';
import { proveCalls } from '../calls.ts';
import { layered } from '../graph.ts';
import { type Cost, startMeasuring } from '../measure.ts';
import { type Spec, type SpecFile, specOfGraph, writeSpec } from '../specs.ts';
import { type Measurement, nothingMeasured } from '../workload.ts';
import { pinToFirstCore } from './pin.ts';
import { RunEnds } from './run-ends.ts';

export interface RunnelOptions {
  readonly workers?: number;
  readonly listeners?: number;
  /** Deliveries that a worker computes at once. */
  readonly concurrency?: number;
  /** All threads of the workers on one core. */
  readonly onOneCore?: boolean;
}

/** No limit of the API is what is measured here. */
const limits = {
  RUNNEL_MAX_BODY: '8GB',
  RUNNEL_MAX_TASKS: '16777216',
  RUNNEL_MAX_PRODUCT: '16777216',
} as const;

/** A run that does nothing else is given so much time, and more for each task. */
const patienceMs = 60_000;
const patienceMsPerTask = 1;

/** Ten million tasks take minutes to read. */
const submitWithinMs = 600_000;

/** Of an answer, and of a line of a log, in an error. */
const shownChars = 1_000;

/** Processes that have just started compile what they run: 1,000 tasks in layers, before anything is measured. */
const warmUp = layered(5, 200);

/** One run, timed. */
export interface TimedRun {
  readonly id: string;
  readonly submitS: number;
  readonly totalS: number;
  /** `performance.now()` of its end. */
  readonly endedAt: number;
}

/** Runnel's own processes on a Redis of their own, ready to be measured. */
export class RunnelSystem implements AsyncDisposable {
  readonly stack: Stack;
  readonly redis: RedisClient;
  readonly client: Client;
  readonly #ends: RunEnds;
  /** Rejects when a process ends. */
  readonly #death: Promise<never>;
  #files = 0;

  private constructor(stack: Stack, redis: RedisClient, client: Client, ends: RunEnds) {
    this.stack = stack;
    this.redis = redis;
    this.client = client;
    this.#ends = ends;
    this.#death = Promise.race(stack.processes.map(watch));
    // Nobody may be waiting for it, as at the end.
    this.#death.catch(() => undefined);
  }

  static async start(options: RunnelOptions = {}): Promise<RunnelSystem> {
    const { workers = 1, listeners = 1, concurrency = 2, onOneCore = false } = options;
    const functions = fileURLToPath(new URL('../functions.ts', import.meta.url));
    const env = {
      ...limits,
      RUNNEL_CONCURRENCY: String(concurrency),
      RUNNEL_FUNCTIONS: functions,
    };
    const stack = await Stack.start({ api: true, workers, listeners, env });
    const client = createClient({ url: stack.apiUrl });
    const redis = connectRedis(stack.redis.url, () => undefined);
    const ends = await RunEnds.open(stack.redis.url, client);
    const system = new RunnelSystem(stack, redis, client, ends);
    try {
      if (onOneCore) for (const { pid } of stack.of('worker')) pinToFirstCore(pid);
      if (workers > 0) await system.run(specOfGraph(warmUp, -warmUp.count), warmUp.count);
    } catch (error: unknown) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
    return system;
  }

  writeSpec(spec: Spec): Promise<SpecFile> {
    return writeSpec(spec, join(this.stack.dir, `spec-${this.#files++}`));
  }

  /** Resolves with the run's id when the API has answered. */
  async submit({ contentType, body }: SpecFile): Promise<string> {
    const posted = fetch(`${this.stack.apiUrl}/api/v1/runs`, {
      method: 'POST',
      headers: { 'Content-Type': contentType },
      body,
      signal: AbortSignal.timeout(submitWithinMs),
    });
    const response = await Promise.race([posted, this.#death]);
    const text = await response.text();
    if (!response.ok) {
      const log = this.stack.of('api').flatMap((api) => api.log.slice(-2));
      const lines = [`POST /runs: ${response.status}`, text, ...log];
      throw new Error(lines.map((line) => line.slice(0, shownChars)).join('\n'));
    }
    return wireSubmitted.parse(JSON.parse(text)).id;
  }

  /** Submits a run, waits for its end and checks that all of its tasks succeeded. */
  async run(spec: Spec, tasks: number): Promise<TimedRun> {
    const file = await this.writeSpec(spec);
    const startedAt = performance.now();
    const id = await this.submit(file);
    const submitS = (performance.now() - startedAt) / 1000;
    const endedAt = await this.waitForEnd(id, tasks);
    await this.prove(id, tasks);
    return { id, submitS, totalS: (endedAt - startedAt) / 1000, endedAt };
  }

  /** @throws Error where a process dies meanwhile, or the run takes far too long. */
  waitForEnd(id: string, tasks: number): Promise<number> {
    const ended = this.#ends.wait(id, patienceMs + tasks * patienceMsPerTask);
    return Promise.race([ended, this.#death]);
  }

  /** @throws Error where the run did not succeed with so many tasks, each counted once. */
  async prove(id: string, tasks: number): Promise<void> {
    const { state, counts, taskCount, duplicates } = await this.client.getRun(id);
    const isRight = state === 'succeeded' && counts.succeeded === tasks && taskCount === tasks;
    if (isRight && duplicates === 0) return;
    throw new Error(
      `run ${id} should have succeeded with ${tasks} tasks, but is ${state} with ${JSON.stringify({ taskCount, duplicates, ...counts })}`,
    );
  }

  /** Tasks by second, from the run's start to its end. */
  async readRate(id: string): Promise<number> {
    const { startedAt, endedAt, taskCount } = await this.client.getRun(id);
    const ms = Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
    return taskCount / (Math.max(1, ms) / 1000);
  }

  measure(): Promise<() => Promise<Cost>> {
    const { processes, redis } = this.stack;
    return startMeasuring({ processes, redisPid: redis.pid, redis: this.redis });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ends[Symbol.dispose]();
    this.redis.disconnect();
    await this.stack[Symbol.asyncDispose]();
  }
}

async function watch({ app, gone, log }: AppProcess): Promise<never> {
  await gone;
  throw new Error(`the ${app} ended while it was measured:\n${log.slice(-5).join('\n')}`);
}

/** One run, each of whose tasks is called with its number. */
export interface RunnelWork extends RunnelOptions {
  readonly spec: Spec;
  readonly n: number;
  /** False where tasks are not functions: then only the run's counts prove them. */
  readonly hasJournal?: boolean;
  /** Looks at the journals of what was called. */
  readonly examine?: (dir: string) => Partial<Measurement>;
}

/** Measures one run on processes of its own. */
export async function measureRunnel(work: RunnelWork): Promise<Measurement> {
  await using system = await RunnelSystem.start(work);
  const stop = await system.measure();
  const { id, submitS, totalS } = await system.run(work.spec, work.n);
  const cost = await stop();
  const tasksPerS = await system.readRate(id);
  if (work.hasJournal !== false) await proveCalls(system.stack.dir, work.n);
  const seen = work.examine?.(system.stack.dir) ?? {};
  return { ...ofCost(cost, work.n), submitS, totalS, tasksPerS, ...seen };
}

/** The part of a measurement that is not time. */
export function ofCost(cost: Cost, tasks: number): Measurement {
  const { redisBytes, ...others } = cost;
  return {
    ...nothingMeasured,
    ...others,
    redisBytesPerTask: redisBytes / tasks,
  };
}
