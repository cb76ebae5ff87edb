import {
  AttemptAbort,
  type AttemptResult,
  describeError,
  failpoint,
  type OpenExecutor,
} from '@runnel/core';
import {
  type Delivery,
  handBack,
  nudge,
  RunChangedError,
  type RunInfo,
  type StoredGroup,
} from '@runnel/store';
import { AttemptLogs } from './attempt-logs.ts';
import { CancelledPlaces } from './cancelled-places.ts';
import { findJoined } from './generate/find-joined.ts';
import { joinRun } from './generate/join-run.ts';
import { outcomeOf } from './outcome-of.ts';
import { feedInParts } from './pace.ts';
import { type PlacedTask, placeTask } from './placed-task.ts';
import type { DetailsRenderer } from './render-details.ts';
import { DeliveryReport } from './report.ts';
import { readInputs } from './task-inputs.ts';
import type { DeliveryEnd, DeliveryStart, WorkerContext } from './worker-context.ts';

/** A delivery and what is known of it. */
export interface Claimed {
  readonly info: RunInfo;
  readonly group: StoredGroup;
  readonly start: DeliveryStart;
  readonly delivery: Delivery;
  readonly hasOutputs: boolean;
}

/** One claimed delivery, until all of its outcomes are settled or in the stream. */
export class Execution {
  readonly #context: WorkerContext;
  readonly #renderer: DetailsRenderer;
  readonly #claimed: Claimed;
  readonly #signal: AbortSignal;
  readonly #cancelled: CancelledPlaces;
  readonly #report: DeliveryReport;
  readonly #logs: AttemptLogs;
  readonly #results = new Map<number, AttemptResult>();
  readonly #returned = new Set<number>();
  #returning: Promise<void> | undefined;
  /** What generators generated is on its way into the run. */
  readonly #joining: Promise<void>[] = [];

  constructor(context: WorkerContext, renderer: DetailsRenderer, claimed: Claimed) {
    const { start, delivery } = claimed;
    this.#context = context;
    this.#renderer = renderer;
    this.#claimed = claimed;
    this.#logs = new AttemptLogs(context, claimed.info);
    this.#signal = AbortSignal.any([start.lease, start.cancel, start.shutdown]);
    this.#cancelled = new CancelledPlaces(this.#signal);
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
    this.#watch(places);
    const joined = await findJoined(this.#context.redis, this.#claimed, places);
    for (const place of joined) this.#end(place, { outcome: 'succeeded' }, 0);
    const tasks = await this.#prepareOrLeave(places.filter((place) => !joined.has(place)));
    if (tasks.length > 0) await this.#carryOut(group.executor, tasks);
    await Promise.all(this.#joining);
    this.#cancelled[Symbol.dispose]();
    await failpoint('execute.before-report');
    await this.#logs.close();
    await this.#settle(places);
    return this.#describe(places);
  }

  /** Tasks of it may be cancelled while it goes on. */
  #watch(places: readonly number[]): void {
    const { start, delivery } = this.#claimed;
    start.watchTasks?.({
      ids: () => places.map((place) => delivery.ids[place] ?? -1),
      cancel: (ids) => this.#cancelled.cancel(ids.map((id) => delivery.ids.indexOf(id))),
    });
  }

  /**
   * Where the slot's next job waits already, it is taken while this one's last outcomes are settled.
   * A worker that dies in between leaves a delivery without a job, which the listener finds lost.
   */
  async #settle(places: readonly number[]): Promise<void> {
    const { turns, settling, slots } = this.#context;
    const { queue } = this.#claimed.delivery;
    await this.#returning;
    const isWhole = places.every((place) => this.#results.has(place) || this.#returned.has(place));
    const finished = this.#report.finish();
    if (isWhole && settling.size < slots && turns.expectsJob(queue)) {
      const beside = finished.catch(this.#context.onError).finally(() => settling.delete(beside));
      settling.add(beside);
      return;
    }
    await finished;
    if (!isWhole) await this.#handBack([]);
  }

  /** Of a run that is edited meanwhile nothing starts: the details may be those of another revision. */
  async #prepareOrLeave(places: readonly number[]): Promise<readonly PlacedTask[]> {
    try {
      return await this.#prepare(places);
    } catch (error: unknown) {
      if (!(error instanceof RunChangedError)) throw error;
      this.#context.infos.forget(this.#claimed.start.runId);
      return [];
    }
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
      const secrets = this.#logs.open(place, number, attempt);
      const request = { run: info.facts, task, attempt, inputs, secrets };
      const rendering = this.#renderer.render(request);
      const rendered = rendering instanceof Promise ? await rendering : rendering;
      if (!rendered.ok) {
        this.#end(place, rendered.failure, 0);
        continue;
      }
      const { details } = rendered;
      const made = { place, number: attempt, task, details, inputs, secrets };
      tasks.push(placeTask(this.#claimed, made));
    }
    if (looksForInputs) await info.checkRevision();
    return tasks;
  }

  async #carryOut(name: string, tasks: readonly PlacedTask[]): Promise<void> {
    const { executors, pace } = this.#context;
    try {
      const executor = await executors.open(name);
      const run = (part: readonly PlacedTask[]): Promise<number> => this.#execute(executor, part);
      if (tasks.length === 1 || executors.isSideBySide(name)) {
        await run(tasks);
        return;
      }
      const { group } = this.#claimed;
      await feedInParts(pace, {
        ...{ group, tasks, signal: this.#signal, run },
        handBack: (rest) => {
          this.#returning = this.#handBack(rest.map(({ place }) => place));
        },
      });
    } catch (error: unknown) {
      // An executor that throws has a bug, or can't be opened here: its open tasks fail with it.
      const failure = describeError(error);
      for (const { place } of tasks) this.#end(place, failure, 0);
    }
  }

  /** Resolves with the ms that the tasks took together. */
  async #execute(executor: OpenExecutor<unknown>, all: readonly PlacedTask[]): Promise<number> {
    const part = all.filter(({ place }) => !this.#cancelled.has(place));
    for (const { place } of all) {
      if (this.#cancelled.has(place)) this.#end(place, { outcome: 'cancelled' }, 0);
    }
    if (part.length === 0) return 0;
    const batch = {
      tasks: part.map(({ input }) => input),
      signal: this.#signal,
      cancels: this.#cancelled.of(part),
    };
    let tookMs = 0;
    await executor.execute(batch, (index, result, durationMs) => {
      const task = part[index];
      tookMs += durationMs;
      if (task === undefined) return;
      if (task.input.generator === undefined || result.outcome !== 'succeeded') {
        this.#end(task.place, result, durationMs);
      } else this.#joining.push(this.#join(task, result, durationMs));
    });
    return tookMs;
  }

  /** Where Redis does not answer, the task stays open and is handed back: it will generate once more. */
  async #join(
    { place, input }: PlacedTask,
    result: Extract<AttemptResult, { readonly outcome: 'succeeded' }>,
    durationMs: number,
  ): Promise<void> {
    const { redis, infos, generators, onError } = this.#context;
    const { info, delivery } = this.#claimed;
    try {
      const ended = await joinRun({
        ...{ redis, infos, delivery, tools: generators, dialect: input.generator ?? 'native' },
        result: this.#logs.redact(place, result),
        ...{ runId: info.facts.handle.id, task: input.task, signal: this.#signal },
        tell: (text) => input.log.write(`${text}\n`),
      });
      if (ended.outcome === 'failed') input.log.write(`${ended.message}\n`);
      this.#end(place, ended, durationMs);
    } catch (error: unknown) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Called once for each place; what a lost lease or the end of the worker cut off stays open. */
  #end(place: number, ended: AttemptResult, durationMs: number): void {
    if (this.#results.has(place)) return;
    if (ended.outcome === 'cancelled' && !this.#isCancel(place)) return;
    const result = this.#logs.redact(place, ended);
    this.#results.set(place, result);
    const { info, delivery } = this.#claimed;
    const startMs = this.#context.now() - durationMs - info.facts.createdAt;
    const attempt = delivery.attempts[place] ?? 1;
    const { worker } = this.#context;
    const { record, extra } = outcomeOf({ place, attempt, startMs, durationMs, worker }, result);
    // Who sees the end sees the whole log.
    this.#logs.end(place);
    this.#report.add(record, extra);
  }

  #isCancel(place: number): boolean {
    if (this.#cancelled.has(place)) return true;
    const reason: unknown = this.#signal.reason;
    return reason instanceof AttemptAbort && reason.abortCause === 'cancel';
  }

  /**
   * What stands behind a slow task goes to other slots; a worker that stops, or was cut off from Redis,
   * gives back everything that it did not end (no places). It is alive: no death is counted. Where
   * another has claimed the delivery meanwhile, this has no effect.
   */
  async #handBack(places: readonly number[]): Promise<void> {
    const { redis, namespace } = this.#context;
    const { info, delivery, start } = this.#claimed;
    for (const place of places) this.#returned.add(place);
    try {
      await failpoint('return.before');
      const { carrier, token } = delivery;
      const now = this.#context.now();
      await handBack(redis, info.facts.handle, { carrier, token, now, places });
      await failpoint('return.after');
      await nudge(redis, namespace, start.runId);
    } catch (error: unknown) {
      if (places.length === 0) throw error;
      // Handed back with all the rest, at the end.
      this.#returned.clear();
    }
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
    return { kind: 'done', counts, only: { result, logTail: this.#logs.tail(first) } };
  }
}
