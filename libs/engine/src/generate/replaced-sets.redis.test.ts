import type { AttemptResult } from '@runnel/core';
import { connectRedis, type Delivery, findTask, type RedisClient, retryPage } from '@runnel/store';
import { allSucceeded } from '@runnel/store/store-driver';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { retryRun } from '../retry.ts';
import { GrowingRun, type TaskEnd, tools } from './growing.test-kit.ts';
import { joinRun } from './join-run.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const succeeds: TaskEnd = { outcome: 'succeeded' };
const slow = { class: 'other', id: 'slow', executor: 'noop' };
const inner = { class: 'inner', executor: 'noop', generator: true };
const leaf = { class: 'leaf', executor: 'noop', parents: ['other'] };

test('while some of a replaced set still runs, generated tasks wait for its successor alone', async () => {
  await using run = await GrowingRun.submit(redis, [{ class: 'gen', generator: true }]);
  const play = (set: readonly object[], slowEnds: TaskEnd[] = []): Promise<void> =>
    run.play((id) => {
      if (id === 'gen') return { ...succeeds, set };
      if (id === 'gen.inner') return { ...succeeds, set: [leaf] };
      return id === 'gen.slow' ? (slowEnds.shift() ?? null) : succeeds;
    });
  await play([slow]);
  const before = await run.infos.read(run.driver.run.id);
  const replaced = await findTask(redis, before, 'gen.slow');
  await retryFrom(run, 'gen');

  await play([inner, slow]);
  run.infos.forget(run.driver.run.id);
  const after = await run.infos.read(run.driver.run.id);
  const found = await findTask(redis, after, 'gen.slow');
  // That of the replaced set ends first.
  await play([], [{ outcome: 'failed' }, succeeds]);

  expect(found).toBeGreaterThan(replaced ?? -1);
  expect(await run.states()).toEqual({
    ...{ gen: 'succeeded', 'gen.inner': 'succeeded' },
    ...{ 'gen.slow': 'succeeded', 'gen.inner.leaf': 'succeeded' },
  });
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('a generator of a replaced set that still runs generates nothing more', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'gen', generator: true },
    { class: 'collect', parents: ['gen'] },
  ]);
  const play = (set: readonly object[], innerEnds: TaskEnd | null): Promise<void> =>
    run.play((id) => {
      if (id === 'gen') return { ...succeeds, set };
      return id === 'gen.inner' ? innerEnds : succeeds;
    });
  // Something waits for what it will generate.
  await play([inner, { class: 'after', executor: 'noop', parents: ['inner'] }], null);
  await retryFrom(run, 'gen');

  await play([slow], null);
  await play([], { ...succeeds, set: [{ class: 'leaf', executor: 'noop' }] });

  expect(await run.states()).toEqual({
    ...{ gen: 'succeeded', 'gen.slow': 'succeeded', collect: 'succeeded' },
  });
  expect(run.started).not.toContain('gen.inner.leaf');
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('a success in a set that is replaced counts for nothing, however late its end is passed on', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'gen', generator: true },
    { class: 'collect', parents: ['gen'], runIf: 'any-succeeded' },
  ]);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: [slow] } : null));
  await retryFrom(run, 'gen');
  const held = await run.claimAll();
  const delivery = held.find(({ ids }) => ids.includes(0)) ?? expect.fail('it runs again');
  // The barrier of the old set ends with it, and goes to the backlog.
  const old = held.filter((one) => one !== delivery);
  await run.driver.settle(old.map(allSucceeded), 4, 1);
  const set = [{ class: 'other', id: 'quick', executor: 'noop' }];

  const early = await joinOnce(run, delivery, set);
  await run.driver.turn();
  await run.driver.turn();
  const late = await run.join(delivery, set);
  await run.settleAll(delivery);
  await run.play(() => ({ outcome: 'failed' }));

  expect([early.outcome, late.outcome]).toEqual(['cancelled', 'succeeded']);
  expect(await run.states()).toEqual({
    gen: 'succeeded',
    'gen.quick': 'failed',
    collect: 'skipped',
  });
  expect(await run.findings()).toEqual([]);
});

/** As a worker that is stopped where it would have to try again. */
async function joinOnce(run: GrowingRun, delivery: Delivery, set: unknown): Promise<AttemptResult> {
  return await joinRun({
    ...{ redis, infos: run.infos, tools, delivery, runId: run.driver.run.id, dialect: 'native' },
    task: { number: 0, id: 'gen', attempt: delivery.attempts[0] ?? 0 },
    signal: AbortSignal.timeout(1),
    result: { outcome: 'succeeded', tasks: JSON.stringify(set) },
    tell: () => undefined,
  });
}

/** Brings a task back, with all that hangs on it. */
async function retryFrom(run: GrowingRun, task: string): Promise<void> {
  run.infos.forget(run.driver.run.id);
  const info = await run.infos.read(run.driver.run.id);
  await retryRun({ redis, now: 1 }, info, { selector: { from: [task] }, isDryRun: false });
  while ((await retryPage(redis, run.driver.run, 1))?.phase !== 0) {
    // Page by page.
  }
}
