import { setTimeout as sleep } from 'node:timers/promises';
import { type AttemptResult, ConflictError, type FinalTaskState } from '@runnel/core';
import { expandSpec } from '@runnel/spec';
import {
  type Delivery,
  findTask,
  haltPage,
  isClaimed,
  type RedisClient,
  RunInfoCache,
  readStates,
  retryPage,
  type StateCounts,
  stateCode,
  takeTurn,
} from '@runnel/store';
import { allSucceeded, type StoreDriver, settlementOf } from '@runnel/store/store-driver';
import type { Finding } from '../doctor/finding.ts';
import { Patient } from '../doctor/patient.test-kit.ts';
import { retryRun } from '../retry.ts';
import { type GeneratorTools, joinRun } from './join-run.ts';

/** Limits and executors as a worker has them. */
export const tools: GeneratorTools = {
  options: {
    limits: { maxTasks: 2_000_000, maxProduct: 2_000_000 },
    executors: { names: () => ['noop', 'local'], check: () => [] },
    pools: ['default', 'large'],
  },
  routeOf: (group) => ({ queue: group.pool, maxBatch: 4, isSideBySide: false }),
};

/** How a task ends; a generator that succeeds gives a set. */
export interface TaskEnd {
  readonly outcome: 'succeeded' | 'failed';
  readonly set?: unknown;
}

/** A run whose generators' sets join it as a worker has them join, step by step on a real Redis. */
export class GrowingRun implements AsyncDisposable {
  readonly patient: Patient;
  readonly driver: StoreDriver;
  readonly infos: RunInfoCache;
  /** Ids in the order in which they started. */
  readonly started: string[] = [];
  /** What those who look at generators were told. */
  readonly told: string[] = [];
  /** Answers of generators whose sets were refused. */
  readonly refused: AttemptResult[] = [];

  private constructor(patient: Patient, redis: RedisClient) {
    this.patient = patient;
    this.driver = patient.driver;
    this.infos = new RunInfoCache(redis, this.driver.namespace);
  }

  /** Tasks of the executor noop, as in a spec. */
  static async submit(redis: RedisClient, tasks: unknown): Promise<GrowingRun> {
    const spec = { defaults: { executor: 'noop' }, tasks };
    const { plan } = expandSpec(spec, { ...tools.options, source: null });
    return new GrowingRun(await Patient.submit(redis, 'growing', plan), redis);
  }

  /** Claims what is open, and ends it as told, until nothing is; `edges` is what a turn visits. */
  async play(endOf: (id: string) => TaskEnd | null, edges = 64): Promise<void> {
    if (await this.playSteps(endOf, edges, 2_000)) return;
    throw new Error('the run does not come to its end');
  }

  /** The same, so many steps of it; false where there is more. */
  async playSteps(
    endOf: (id: string) => TaskEnd | null,
    edges: number,
    steps: number,
  ): Promise<boolean> {
    for (let step = 0; step < steps; step++) {
      const answer = await this.#turn(edges);
      if (answer === null) throw new Error('the run is gone');
      if (!['running', 'retrying'].includes(answer.state)) return true;
      let ended = 0;
      for (const open of await this.driver.deliveries()) {
        ended += await this.#carryOut(await this.#hold(open), endOf, edges);
      }
      // Turns that were taken for a set on its way may have cut more.
      const isLast = (await this.driver.deliveries()).every(isClaimed);
      if (ended === 0 && isLast && answer.unfinished === 0 && answer.state === 'running')
        return true;
    }
    return false;
  }

  /** Begins to bring tasks back; turns do the rest. False where that can't be now. */
  async beginRetry(tasks: readonly string[]): Promise<boolean> {
    this.infos.forget(this.driver.run.id);
    const info = await this.infos.read(this.driver.run.id);
    const request = { selector: { from: tasks }, isDryRun: false };
    return await retryRun({ redis: this.driver.redis, now: 1 }, info, request).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ConflictError) return false;
        throw error;
      },
    );
  }

  /** Brings tasks back, with all that hangs on them. */
  async retry(tasks: readonly string[], size = { tasks: 7, edges: 11 }): Promise<void> {
    const { redis, run } = this.driver;
    this.infos.forget(run.id);
    const info = await this.infos.read(run.id);
    await retryRun({ redis, now: 1 }, info, { selector: { from: tasks }, isDryRun: false });
    for (let page = 0; page < 1_000; page++) {
      const answer = await retryPage(redis, run, 1, size);
      if (answer === null || answer.phase === 0) return;
    }
    throw new Error('the retry does not come to its end');
  }

  /** The number of a task. */
  async find(id: string): Promise<number> {
    const { redis, run } = this.driver;
    this.infos.forget(run.id);
    const number = await findTask(redis, await this.infos.read(run.id), id);
    if (number === null) throw new Error(`there is no task ${id}`);
    return number;
  }

  /** Has every ready task in a claimed delivery of its group. */
  async claimAll(): Promise<readonly Delivery[]> {
    await this.#turn(64);
    const open = await this.driver.deliveries();
    return await Promise.all(open.map(({ carrier }) => this.driver.claimed(carrier, 99)));
  }

  /** What the doctor finds; not of jobs, since the test's deliveries have none. */
  async findings(): Promise<readonly Finding[]> {
    return (await this.patient.findings()).filter(
      ({ kind }) => kind !== 'delivery-lost' && kind !== 'outbox-late',
    );
  }

  /** Claims the only delivery, which must be of one task. */
  async claimOnly(): Promise<Delivery> {
    await this.driver.turn();
    const [open] = await this.driver.deliveries();
    return await this.driver.claimed(open?.carrier ?? 0, 99);
  }

  /** Has a set join the run as that of a claimed generator; its outcome is still to be settled. */
  async join(
    delivery: Delivery,
    set: unknown,
    place = 0,
    signal = AbortSignal.timeout(20_000),
  ): Promise<AttemptResult> {
    const { redis, namespace, run } = this.driver;
    const info = await this.infos.read(run.id);
    const number = delivery.ids[place] ?? 0;
    const { id, group } = await info.task(number);
    return await joinRun({
      ...{ redis, infos: this.infos, tools, delivery, runId: run.id },
      dialect: group.generator ?? 'native',
      task: { number, id, attempt: delivery.attempts[place] ?? 1 },
      signal,
      tell: (text) => this.told.push(text),
      result: { outcome: 'succeeded', tasks: JSON.stringify(set) },
    }).catch((error: unknown) => {
      throw new Error(`${namespace}: ${id} could not join`, { cause: error });
    });
  }

  async settleAll(delivery: Delivery): Promise<void> {
    await this.driver.settle([allSucceeded(delivery)]);
  }

  /** Cancels the run, to the last page. */
  async halt(): Promise<void> {
    const { redis, run } = this.driver;
    let answer = await haltPage(redis, run, 'cancel', 1);
    while (answer?.isPaging === true) answer = await haltPage(redis, run, 'page', 1);
  }

  async state(): Promise<string> {
    return (await this.driver.summary()).state;
  }

  async counts(): Promise<Partial<StateCounts>> {
    const { counts } = await this.driver.summary();
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  /** The state of every task that is none of a replaced set, by id. */
  async states(): Promise<Readonly<Record<string, FinalTaskState | string>>> {
    this.infos.forget(this.driver.run.id);
    const info = await this.infos.read(this.driver.run.id);
    const { nodeCount } = info.facts;
    const reader = await readStates(this.driver.redis, info, 0, nodeCount);
    const states: Record<string, string> = {};
    for (let node = 0; node < nodeCount; node++) {
      const task = await info.task(node);
      if (task.group.kind === 'barrier' || reader.isRetired(node)) continue;
      states[task.id] = reader.stateOf(node);
    }
    return states;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.patient[Symbol.asyncDispose]();
  }

  /** Claims once: another claim would count as the death of a worker. */
  async #hold(open: Delivery): Promise<Delivery> {
    if (isClaimed(open)) return open;
    return await this.driver.claimed(open.carrier);
  }

  async #turn(edges: number): ReturnType<typeof takeTurn> {
    const { redis, run } = this.driver;
    const shares = run.queues.map(() => ({ window: 16, slots: 16 }));
    const answer = await takeTurn(redis, run, { settlements: [], shares, edges, now: 1 });
    if (answer?.state === 'retrying') await retryPage(redis, run, 1, { tasks: 3, edges });
    return answer;
  }

  async #carryOut(
    delivery: Delivery,
    endOf: (id: string) => TaskEnd | null,
    edges: number,
  ): Promise<number> {
    const ends: { place: number; code: number }[] = [];
    for (const [place, number] of delivery.ids.entries()) {
      if (!delivery.open[place]) continue;
      // Read again: a set that joined a moment ago may have its first tasks here.
      this.infos.forget(this.driver.run.id);
      const task = await (await this.infos.read(this.driver.run.id)).task(number);
      const end = endOf(task.id);
      if (end === null) continue;
      const generates = task.group.generator !== undefined && end.outcome === 'succeeded';
      const outcome = generates
        ? await this.#join(delivery, { set: end.set, place, edges })
        : end.outcome;
      if (outcome === null) continue;
      this.started.push(task.id);
      ends.push({ place, code: stateCode[outcome] });
    }
    if (ends.length > 0) await this.driver.settle([settlementOf(delivery, ends)], 4, edges);
    return ends.length;
  }

  /** Null where it has to wait for something that does not end now. */
  async #join(
    delivery: Delivery,
    { set, place, edges }: { set: unknown; place: number; edges: number },
  ): Promise<'succeeded' | 'failed' | null> {
    const patience = new AbortController();
    const joining = this.join(delivery, set ?? [], place, patience.signal);
    // As a listener would: a set that replaces another waits until the one before it is retired.
    let isDone = false;
    const settled = joining
      .catch(() => undefined)
      .then(() => {
        isDone = true;
      });
    for (let turns = 0; !isDone; turns++) {
      if (turns === mostTurns) patience.abort();
      await Promise.all([this.#turn(edges), Promise.race([settled, sleep(5)])]);
    }
    const joined = await joining;
    if (joined.outcome === 'cancelled') return null;
    if (joined.outcome === 'succeeded') return 'succeeded';
    this.refused.push(joined);
    return 'failed';
  }
}

/** Turns that a set waits for: all that can be done without another task's end is done by then. */
const mostTurns = 60;
