import {
  AttemptAbort,
  type AttemptResult,
  describeThrown,
  failpoint,
  NotFoundError,
  type TaskInput,
} from '@runnel/core';
import {
  type ClaimAnswer,
  claim,
  type Delivery,
  type Fence,
  handBack,
  nudge,
  type RedisClient,
  type RunInfo,
  type RunInfoCache,
  type StoredGroup,
} from '@runnel/store';
import type { ExecutorPool } from './executors.ts';
import { outcomeOf } from './outcome-of.ts';
import { DetailsRenderer } from './render-details.ts';
import { DeliveryReport } from './report.ts';
import type { SlotTurns } from './slot-turns.ts';
import { readInputs } from './task-inputs.ts';
import { TaskLog } from './task-log.ts';
import { nextToken } from './tokens.ts';

/** What a worker process keeps for all its deliveries. */
export interface WorkerContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly infos: RunInfoCache;
  readonly executors: ExecutorPool;
  readonly turns: SlotTurns;
  readonly fence: Fence;
  /** Ends of deliveries that are being settled beside their slots' next ones; at most `slots`. */
  readonly settling: Set<Promise<void>>;
  readonly slots: number;
  readonly worker: { readonly name: string; readonly number: number };
  readonly maxDeaths: number;
  readonly logTailBytes: number;
  readonly logRunBytes: number;
  now(): number;
  onError(error: Error): void;
}

/** A start of a delivery, with the signals that may end it; each reason is an AttemptAbort. */
export interface DeliveryStart {
  readonly runId: string;
  readonly carrier: number;
  readonly attemptsStarted: number;
  readonly lease: AbortSignal;
  readonly cancel: AbortSignal;
  readonly shutdown: AbortSignal;
}

/** What became of a delivery, for people: completion never depends on it. */
export type DeliveryEnd =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'done';
      readonly counts: Readonly<Record<string, number>>;
      /** Of a delivery of one task. */
      readonly only?: { readonly result: AttemptResult; readonly logTail: string };
    };

/** Carries out deliveries: claim, render, execute, report. */
export class DeliveryExecutor {
  readonly #context: WorkerContext;
  readonly #renderer: DetailsRenderer;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#renderer = new DetailsRenderer(context.executors);
  }

  /**
   * Claims a delivery and carries out its open tasks. Resolves after the last outcome was settled
   * or is in the shard's stream. A worker that dies in between leaves open bits behind: BullMQ starts the
   * job again elsewhere, and the next claim gets what is still open under a new token.
   */
  async execute(start: DeliveryStart): Promise<DeliveryEnd> {
    const info = await this.#readInfo(start.runId);
    if (info === null) return { kind: 'refused', why: 'the run was deleted' };
    const claimed = await this.#claim(info, start);
    if (claimed.kind === 'refused') {
      const { redis, namespace } = this.#context;
      const needsTurn = ['cancelled', 'split', 'poison'].includes(claimed.refusal);
      if (needsTurn) await nudge(redis, namespace, start.runId);
      return { kind: 'refused', why: claimed.refusal };
    }
    const { delivery, hasOutputs } = claimed;
    const group = await info.group(delivery.group);
    const facts = { info, group, start, delivery, hasOutputs };
    return await new Execution(this.#context, this.#renderer, facts).run();
  }

  /** What was reserved for this worker needs no claim, where its job starts for the first time. */
  async #claim(info: RunInfo, start: DeliveryStart): Promise<ClaimAnswer> {
    const { redis, turns, maxDeaths } = this.#context;
    const { runId, carrier, attemptsStarted } = start;
    const reserved = turns.takeReserved(runId, carrier);
    if (reserved !== undefined && attemptsStarted === 1 && !start.cancel.aborted) {
      return { kind: 'claimed', ...reserved };
    }
    await failpoint('claim.before');
    const answer = await claim(redis, info.facts.handle, {
      carrier,
      attemptsStarted,
      token: nextToken(),
      maxDeaths,
      poisonRecord: poisonRecord(this.#context),
    });
    await failpoint('claim.after');
    return answer;
  }

  async #readInfo(runId: string): Promise<RunInfo | null> {
    try {
      return await this.#context.infos.read(runId);
    } catch (error: unknown) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}

function poisonRecord(context: WorkerContext): string {
  return JSON.stringify({
    reason: 'poison',
    message: `${context.maxDeaths} workers died while they ran this task`,
    retryable: false,
    startMs: 0,
    durationMs: 0,
    worker: null,
  });
}

interface Claimed {
  readonly info: RunInfo;
  readonly group: StoredGroup;
  readonly start: DeliveryStart;
  readonly delivery: Delivery;
  readonly hasOutputs: boolean;
}

/** One claimed delivery, until all of its outcomes are in the stream. */
class Execution {
  readonly #context: WorkerContext;
  readonly #renderer: DetailsRenderer;
  readonly #claimed: Claimed;
  readonly #signal: AbortSignal;
  readonly #report: DeliveryReport;
  readonly #logs = new Map<number, TaskLog>();
  readonly #results = new Map<number, AttemptResult>();

  constructor(context: WorkerContext, renderer: DetailsRenderer, claimed: Claimed) {
    const { start, delivery } = claimed;
    this.#context = context;
    this.#renderer = renderer;
    this.#claimed = claimed;
    this.#signal = AbortSignal.any([start.lease, start.cancel, start.shutdown]);
    this.#report = new DeliveryReport({
      redis: context.redis,
      namespace: context.namespace,
      delivery: {
        runId: start.runId,
        carrier: delivery.carrier,
        token: delivery.token,
        group: delivery.group,
      },
      lease: start.lease,
      fence: context.fence,
      settleLast: (entry) => context.turns.settle(claimed.info, entry, delivery.queue),
    });
  }

  async run(): Promise<DeliveryEnd> {
    const { delivery, group } = this.#claimed;
    const places = delivery.ids.flatMap((_, place) => (delivery.open[place] ? [place] : []));
    const tasks = await this.#prepare(places);
    if (tasks.length > 0) await this.#carryOut(group.executor, tasks);
    await failpoint('execute.before-report');
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
    await this.#settle(places);
    return this.#describe(places);
  }

  /**
   * Where the slot's next job waits already, it is taken while this one's last outcomes are settled.
   * A worker that dies in between leaves a delivery without a job, which the listener finds lost.
   */
  async #settle(places: readonly number[]): Promise<void> {
    const { turns, settling, slots } = this.#context;
    const { queue } = this.#claimed.delivery;
    const isWhole = places.every((place) => this.#results.has(place));
    const finished = this.#report.finish();
    if (isWhole && settling.size < slots && turns.expectsJob(queue)) {
      const beside = finished.catch(this.#context.onError).finally(() => settling.delete(beside));
      settling.add(beside);
      return;
    }
    await finished;
    if (!isWhole) await this.#handBackRest();
  }

  /** Renders every open task; one that can't be rendered fails at once, the others go on. */
  async #prepare(places: readonly number[]): Promise<readonly PlacedTask[]> {
    const { info, delivery, group, hasOutputs } = this.#claimed;
    const { redis } = this.#context;
    const looksForInputs = group.inputs.length > 0 && hasOutputs;
    const numbers = places.map((place) => delivery.ids[place] ?? -1);
    const planned = await info.tasksOf(numbers, delivery.group);
    const tasks: PlacedTask[] = [];
    for (const [index, place] of places.entries()) {
      const task = planned[index];
      if (task === undefined) continue;
      const { number } = task;
      const attempt = delivery.attempts[place] ?? 1;
      const inputs = looksForInputs ? await readInputs(redis, info, group, number) : {};
      const rendered = this.#renderer.render({ run: info.facts, task, attempt, inputs });
      if (!rendered.ok) {
        this.#end(place, rendered.failure, 0);
        continue;
      }
      const log = this.#logOf(place, number, attempt);
      tasks.push({
        place,
        input: {
          run: { id: info.facts.handle.id, name: info.facts.name },
          task: { id: task.id, number, class: group.class, attempt },
          idempotencyKey: `${info.facts.handle.id}.${number}.${attempt}`,
          details: rendered.details,
          inputs,
          timeoutMs: group.timeoutMs,
          successExitCodes: group.successExitCodes,
          log,
          isolated: delivery.isolated,
        },
      });
    }
    return tasks;
  }

  async #carryOut(executorName: string, tasks: readonly PlacedTask[]): Promise<void> {
    try {
      const executor = await this.#context.executors.open(executorName);
      const batch = { tasks: tasks.map(({ input }) => input), signal: this.#signal };
      await executor.execute(batch, (index, result, durationMs) => {
        const task = tasks[index];
        if (task !== undefined) this.#end(task.place, result, durationMs);
      });
    } catch (error: unknown) {
      // An executor that throws has a bug, or can't be opened here: its open tasks fail with it.
      const message = describeThrown(error);
      for (const { place } of tasks) {
        this.#end(place, { outcome: 'failed', reason: 'error', message }, 0);
      }
    }
  }

  /** Called once for each place; what a lost lease or the end of the worker cut off stays open. */
  #end(place: number, result: AttemptResult, durationMs: number): void {
    if (this.#results.has(place)) return;
    if (result.outcome === 'cancelled' && !this.#isCancel()) return;
    this.#results.set(place, result);
    const { info, delivery } = this.#claimed;
    const startMs = this.#context.now() - durationMs - info.facts.createdAt;
    const attempt = delivery.attempts[place] ?? 1;
    const { worker } = this.#context;
    const { record, extra } = outcomeOf({ place, attempt, startMs, durationMs, worker }, result);
    // Who sees the end sees the whole log.
    this.#logs.get(place)?.flush();
    this.#report.add(record, extra);
  }

  #isCancel(): boolean {
    const reason: unknown = this.#signal.reason;
    return reason instanceof AttemptAbort && reason.abortCause === 'cancel';
  }

  /**
   * A worker that stops, or was cut off from Redis, gives back what it did not end: it is alive, and
   * no death is counted. Where another has claimed the delivery meanwhile, this has no effect.
   */
  async #handBackRest(): Promise<void> {
    const { redis, namespace } = this.#context;
    const { info, delivery, start } = this.#claimed;
    await failpoint('return.before');
    await handBack(redis, info.facts.handle, delivery);
    await failpoint('return.after');
    await nudge(redis, namespace, start.runId);
  }

  #describe(places: readonly number[]): DeliveryEnd {
    const counts: Record<string, number> = {};
    for (const place of places) {
      const outcome = this.#results.get(place)?.outcome ?? 'handed back';
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    const [first] = places;
    const result = first === undefined ? undefined : this.#results.get(first);
    if (places.length !== 1 || first === undefined || result === undefined) {
      return { kind: 'done', counts };
    }
    const logTail = this.#logs.get(first)?.tail().toString() ?? '';
    return { kind: 'done', counts, only: { result, logTail } };
  }

  #logOf(place: number, task: number, attempt: number): TaskLog {
    const { redis, logTailBytes, logRunBytes } = this.#context;
    const log = new TaskLog({
      redis,
      run: this.#claimed.info.facts.handle,
      task,
      attempt,
      tailBytes: logTailBytes,
      runCapBytes: logRunBytes,
    });
    this.#logs.set(place, log);
    return log;
  }
}

interface PlacedTask {
  readonly place: number;
  readonly input: TaskInput<unknown>;
}
