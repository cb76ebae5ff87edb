import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRedis, startEmbeddedRedis } from '@runnel/service';
import { connectRedis, type RedisClient } from '@runnel/store';
import { endWithParent } from '@runnel/testing/end-with-parent';
import { FlowProducer, Queue } from 'bullmq';
import { proveCalls } from '../calls.ts';
import { childrenOf, type Graph, layered } from '../graph.ts';
import { type Cost, startMeasuring } from '../measure.ts';
import type { Measurement } from '../workload.ts';
import {
  childrenKey,
  endedChannel,
  type Kind,
  leftKey,
  queueName,
  type TaskJob,
} from './bullmq-names.ts';
import { ofCost } from './runnel.ts';

/** Commands that one pipeline carries when a run is stored. */
const page = 1_000;

/** A run that does nothing else is given so much time, and more for each task. */
const patienceMs = 60_000;
const patienceMsPerTask = 5;

export interface BullmqOptions {
  readonly kind?: Kind;
  /** Jobs that the worker has in hand at once. */
  readonly concurrency?: number;
}

/**
 * For jobs that do nothing. More than Runnel's worker is given: with so many, BullMQ was fastest, since most of a job's
 * time is spent waiting for Redis.
 */
export const bestConcurrency = 128;

/**
 * BullMQ, with dependencies by hand: counters in a hash, a script that counts them down, addBulk of the children that
 * are ready. A Redis of its own, with the settings that Runnel gets; the worker is a process of its own.
 */
export class BullmqSystem implements AsyncDisposable {
  readonly dir: string;
  readonly #server: EmbeddedRedis;
  readonly #redis: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #queue: Queue<TaskJob>;
  readonly #worker: ChildProcess;
  readonly #ended = new Map<string, PromiseWithResolvers<number>>();
  /** Rejects when the worker ends. */
  readonly #death: Promise<never>;
  #errors = '';

  private constructor(dir: string, server: EmbeddedRedis, options: Required<BullmqOptions>) {
    this.dir = dir;
    this.#server = server;
    this.#redis = connectRedis(server.url, () => undefined);
    this.#subscriber = connectRedis(server.url, () => undefined);
    this.#queue = new Queue(queueName, { connection: this.#redis });
    const program = fileURLToPath(new URL('./bullmq-worker.ts', import.meta.url));
    this.#worker = spawn(process.execPath, [program, options.kind, String(options.concurrency)], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { REDIS_URL: server.url },
    });
    this.#worker.stderr?.on('data', (text) => {
      this.#errors = `${this.#errors}${text}`.slice(-2_000);
    });
    endWithParent(this.#worker);
    this.#death = this.#watch();
    // Nobody may be waiting for it, as at the end.
    this.#death.catch(() => undefined);
  }

  static async start(options: BullmqOptions = {}): Promise<BullmqSystem> {
    const { kind = 'work', concurrency = bestConcurrency } = options;
    const dir = mkdtempSync(join(tmpdir(), 'runnel-bench-'));
    const server = await startEmbeddedRedis({ dir: join(dir, 'redis') });
    const system = new BullmqSystem(dir, server, { kind, concurrency });
    try {
      await system.#prepare(kind);
    } catch (error: unknown) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
    return system;
  }

  measure(): Promise<() => Promise<Cost>> {
    const processes = [{ app: 'worker', pid: this.#worker.pid ?? -1 }];
    return startMeasuring({ processes, redisPid: this.#server.pid, redis: this.#redis });
  }

  /** Stores what a run needs; resolves with its tasks without parents. */
  async store(run: string, graph: Graph): Promise<readonly number[]> {
    const roots: number[] = [];
    const children = childrenOf(graph);
    await this.#redis.hset(leftKey(run), 'all', graph.count);
    for (let from = 0; from < graph.count; from += page) {
      const left: (string | number)[] = [];
      const lists: (string | number)[] = [];
      for (let task = from; task < Math.min(graph.count, from + page); task++) {
        const parents = graph.parentsOf(task).length;
        if (parents === 0) roots.push(task);
        else left.push(task, parents);
        const own = children[task] ?? [];
        if (own.length > 0) lists.push(task, own.join(' '));
      }
      if (left.length > 0) await this.#redis.hset(leftKey(run), ...left);
      if (lists.length > 0) await this.#redis.hset(childrenKey(run), ...lists);
    }
    return roots;
  }

  async add(run: string, tasks: readonly number[], firstInput: number): Promise<void> {
    for (let from = 0; from < tasks.length; from += page) {
      const part = tasks.slice(from, from + page);
      await this.#queue.addBulk(
        part.map((task) => ({ name: 'task', data: { run, task, firstInput } })),
      );
    }
  }

  /** Resolves with the times, in seconds: of storing the run, from its start to its end, and of both. */
  async run(run: string, graph: Graph, firstInput = 0): Promise<BullmqTimes> {
    const submittedAt = performance.now();
    const roots = await this.store(run, graph);
    const startedAt = performance.now();
    await this.add(run, roots, firstInput);
    const addedAt = performance.now();
    const endedAt = await this.waitForEnd(run, graph.count);
    return timesOf({ submittedAt, startedAt, addedAt, endedAt });
  }

  /** A chain as one Flow: the last task is the root, each one before it its only child. */
  async runFlow(count: number, firstInput = 0): Promise<BullmqTimes> {
    const flows = new FlowProducer({ connection: this.#redis });
    const run = `flow${firstInput}`;
    const dataOf = (task: number): TaskJob => ({ run, task, firstInput });
    let flow: FlowTask = { name: 'task', queueName, data: dataOf(0) };
    for (let task = 1; task < count; task++) {
      flow = { name: 'task', queueName, data: dataOf(task), children: [flow] };
    }
    const submittedAt = performance.now();
    await flows.add(flow);
    const addedAt = performance.now();
    const endedAt = await this.waitForEnd(run, count);
    return timesOf({ submittedAt, startedAt: submittedAt, addedAt, endedAt });
  }

  /** @throws Error where the worker dies or complains, or the run takes far too long. */
  async waitForEnd(run: string, tasks: number): Promise<number> {
    const stop = new AbortController();
    const patience = patienceMs + tasks * patienceMsPerTask;
    const timeout = sleep(patience, null, { signal: stop.signal });
    timeout.catch(() => undefined);
    const endedAt = await Promise.race([this.#endOf(run).promise, timeout, this.#death]);
    stop.abort();
    if (this.#errors !== '') throw new Error(`BullMQ's worker: ${this.#errors}`);
    if (endedAt !== null) return endedAt;
    const left = await this.#redis.hget(leftKey(run), 'all');
    throw new Error(`${run} did not end within ${patience / 1000} s: ${left} tasks are left`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#worker.exitCode === null ? once(this.#worker, 'exit') : null;
    this.#worker.kill('SIGKILL');
    await gone;
    this.#subscriber.disconnect();
    await this.#queue.close();
    this.#redis.disconnect();
    await this.#server[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Listens for ends, waits for the worker and warms it up. */
  async #prepare(kind: Kind): Promise<void> {
    this.#subscriber.on('message', (_channel: string, run: string) => {
      this.#endOf(run).resolve(performance.now());
    });
    await this.#subscriber.subscribe(endedChannel);
    await Promise.race([once(this.#worker.stdout ?? this.#worker, 'data'), this.#death]);
    if (kind === 'flow') await this.runFlow(100, -100);
    if (kind === 'work') await this.run('warm-up', layered(5, 200), -1_000);
  }

  #endOf(run: string): PromiseWithResolvers<number> {
    const known = this.#ended.get(run) ?? Promise.withResolvers<number>();
    this.#ended.set(run, known);
    return known;
  }

  async #watch(): Promise<never> {
    await once(this.#worker, 'exit');
    throw new Error(`BullMQ's worker ended:\n${this.#errors}`);
  }
}

interface FlowTask {
  readonly name: string;
  readonly queueName: string;
  readonly data: TaskJob;
  readonly children?: FlowTask[];
}

export interface BullmqTimes {
  readonly submitS: number;
  readonly runS: number;
  readonly totalS: number;
}

function timesOf(at: {
  readonly submittedAt: number;
  readonly startedAt: number;
  readonly addedAt: number;
  readonly endedAt: number;
}): BullmqTimes {
  return {
    submitS: (at.addedAt - at.submittedAt) / 1000,
    runS: (at.endedAt - at.startedAt) / 1000,
    totalS: (at.endedAt - at.submittedAt) / 1000,
  };
}

export interface BullmqWork extends BullmqOptions {
  readonly graph: Graph;
  readonly examine?: (dir: string) => Partial<Measurement>;
}

/** Measures one run on a Redis and a worker of its own. */
export async function measureBullmq(work: BullmqWork): Promise<Measurement> {
  const { graph } = work;
  await using system = await BullmqSystem.start(work);
  const stop = await system.measure();
  const times =
    work.kind === 'flow' ? await system.runFlow(graph.count) : await system.run('run', graph);
  const cost = await stop();
  await proveCalls(system.dir, graph.count);
  const { submitS, totalS, runS } = times;
  const seen = work.examine?.(system.dir) ?? {};
  return { ...ofCost(cost, graph.count), submitS, totalS, tasksPerS: graph.count / runS, ...seen };
}
