import type { OpenTaskState } from '@runnel/core';
import {
  cancelPage,
  changePaused,
  closeRetry,
  connectRedis,
  finalStateOf,
  haltPage,
  type RedisClient,
  readOpenTasks,
  readRetrySource,
  retryPage,
  setPaused,
  startCancel,
  startRetry,
} from '@runnel/store';
import { StoreDriver } from '@runnel/store/store-driver';
import { graphArbitrary, planOf } from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { kindsIn, play } from './model.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

/** A user who changes parts of a run, as long as changes are left. */
class User {
  readonly #driver: StoreDriver;
  readonly #draw: (n: number) => number;
  readonly #tasks: readonly number[];
  readonly #groups: number;
  readonly #nodes: number;
  /** Tasks that were cancelled before they ended and were not brought back since, with where they were then. */
  readonly cancelled = new Map<number, OpenTaskState>();
  #left = 6;

  constructor(
    driver: StoreDriver,
    draw: (n: number) => number,
    run: { readonly tasks: readonly number[]; readonly groups: number; readonly nodes: number },
  ) {
    this.#driver = driver;
    this.#draw = draw;
    this.#tasks = run.tasks;
    this.#groups = run.groups;
    this.#nodes = run.nodes;
  }

  async change(): Promise<void> {
    if (this.#left === 0 || this.#draw(3) > 0) return;
    this.#left--;
    switch (this.#draw(5)) {
      case 0:
        return await this.pause('pause');
      case 1:
        return await this.pause('resume');
      case 2:
        return await this.#retry();
      default:
        return await this.#cancel();
    }
  }

  /** What is paused would never end by itself. */
  async goOn(): Promise<void> {
    await setPaused(redis, this.#driver.run, 'resume', 1);
    const all = { groups: [...Array(this.#groups).keys()], tasks: this.#tasks };
    await this.#set('resume', all);
  }

  async pause(kind: 'pause' | 'resume'): Promise<void> {
    if (this.#draw(4) === 0) await setPaused(redis, this.#driver.run, kind, 1);
    const groups = [...Array(this.#groups).keys()].filter(() => this.#draw(2) === 0);
    await this.#set(kind, { groups, tasks: this.#some() });
  }

  async #set(
    kind: 'pause' | 'resume',
    parts: { readonly groups: readonly number[]; readonly tasks: readonly number[] },
  ): Promise<void> {
    const told = '{"by":null,"classes":[],"selected":1,"running":0}';
    const request = { kind, createdAt: 1, now: 1, by: null, told, ...parts };
    await changePaused(redis, this.#driver.run, request);
  }

  async #cancel(): Promise<void> {
    const ids = Uint32Array.from(this.#some());
    const open = await readOpenTasks(redis, this.#driver.run, this.#nodes);
    const answer = await startCancel(redis, this.#driver.run, {
      ...{ token: `cancel ${this.#left}`, createdAt: 1, now: 1, ids, told: '{}' },
      record: { at: 1, by: null, spans: null },
    });
    if (answer !== 'begun') return;
    for (const id of ids) {
      const state = open.stateOf(id);
      if (state !== null) this.cancelled.set(id, state);
    }
  }

  async #retry(): Promise<void> {
    const { run } = this.#driver;
    const source = await readRetrySource(redis, run, this.#nodes);
    const ids = await closeRetry(source, this.#some().slice(0, 1));
    const request = { token: `retry ${this.#left}`, createdAt: 1, now: 1, ids };
    const answer = await startRetry(redis, run, request);
    if (answer === 'begun') for (const id of ids) this.cancelled.delete(id);
  }

  #some(): readonly number[] {
    return this.#tasks.filter(() => this.#draw(3) === 0);
  }
}

test('60 random graphs are healthy after every step while parts of them are cancelled and paused', async () => {
  let cancelled = 0;
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const plan = planOf(graph);
      const driver = await StoreDriver.submit(redis, 'doctor-parts', plan, { maxBatch: 3 });
      const draw = (n: number): number => Number(stream.next().value ?? 0) % n;
      const tasks = graph.flatMap(({ isBarrier }, id) => (isBarrier ? [] : [id]));
      const user = new User(driver, draw, {
        tasks,
        groups: plan.groups.length,
        nodes: graph.length,
      });
      const halts = draw(8) === 0 ? 5 + draw(20) : Number.POSITIVE_INFINITY;
      const healthy = async (): Promise<void> => expect(await kindsIn(redis, driver)).toEqual([]);
      for (let step = 1; step < 600; step++) {
        const { state, outbox } = await driver.turn(3, 1 + draw(6));
        await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
        await healthy();
        if (!['running', 'halting', 'changing', 'retrying'].includes(state)) {
          await expectEnds(driver, user, step > halts);
          cancelled += user.cancelled.size;
          return;
        }
        await user.change();
        await healthy();
        await goThroughPages(driver, draw);
        await healthy();
        if (step > 60) await user.goOn();
        if (step >= halts) await haltPage(redis, driver.run, 'cancel', 1);
        await play(driver, graph, { draw, starts: step });
        await healthy();
      }
      throw new Error('it did not end');
    },
  );

  await fc.assert(property, { numRuns: 60, endOnFailure: true });
  expect(cancelled).toBeGreaterThan(60);
}, 240_000);

/** None, one or two of what is under way. */
async function goThroughPages(driver: StoreDriver, draw: (n: number) => number): Promise<void> {
  for (let pages = draw(3); pages > 0; pages--) {
    await cancelPage(redis, driver.run, 1, { tasks: 1 + draw(4), entries: 1, edges: 3 });
    expect(await kindsIn(redis, driver)).toEqual([]);
    await retryPage(redis, driver.run, 1, { tasks: 1 + draw(9), edges: 3 });
  }
}

/** Every task has ended, what was cancelled not as skipped, and nothing is left behind. */
async function expectEnds(driver: StoreDriver, user: User, wasHalted: boolean): Promise<void> {
  const { names } = driver.run;
  const states = [...((await redis.getBuffer(names.state)) ?? [])].map(finalStateOf);
  const left = await redis.exists(names.parked, names.paused, names.backlog, names.deliveries);

  expect(states).not.toContain(undefined);
  expect(left).toBe(0);
  if (wasHalted) return;
  for (const [id, was] of user.cancelled) {
    // What could start may have won the race against the first pages.
    const may = was === 'waiting' ? ['cancelled'] : ['cancelled', 'succeeded', 'failed'];
    expect(may, `${was} ${id}`).toContain(states[id]);
  }
}
