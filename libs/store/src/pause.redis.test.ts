import { groupOf, planOf, plainNode as task } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { stateCode } from './packed.ts';
import type { RedisClient } from './script.ts';
import { allSucceeded, StoreDriver, settlementOf } from './store-driver.ts';
import { haltPage, setPaused } from './turns.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

/** Tasks without parents, and one child of the first. */
async function submit(count: number, maxBatch = 256, namespace = 'pause'): Promise<StoreDriver> {
  const roots = Array.from({ length: count }, () => ({ ...task, parents: [] }));
  const child = { ...task, parents: [{ id: 0, on: 'succeeded' }] } as const;
  return await StoreDriver.submit(redis, namespace, planOf([...roots, child]), { maxBatch });
}

const pause = (driver: StoreDriver) => setPaused(redis, driver.run, 'pause', 5);
const resume = (driver: StoreDriver) => setPaused(redis, driver.run, 'resume', 6);
const demandOf = (driver: StoreDriver) => redis.hgetall(driver.run.names.demand);

describe('a paused run', () => {
  test('is paused once, keeps its counts, and cuts nothing', async () => {
    const driver = await submit(4);

    const first = await pause(driver);
    const again = await pause(driver);
    const { outbox } = await driver.turn();

    expect([first, again]).toEqual([
      { state: 'running', isChanged: true },
      { state: 'running', isChanged: false },
    ]);
    expect(outbox).toEqual([]);
    expect(await driver.summary()).toMatchObject({
      ...{ state: 'paused', pausedAt: 5 },
      counts: { ready: 4, waiting: 1 },
    });
  });

  test('accepts outcomes of what runs and makes children ready', async () => {
    const driver = await submit(1);
    await driver.turn();
    const delivery = await driver.claimed(1);

    await pause(driver);
    const { accepted, outbox, state } = await driver.settle([allSucceeded(delivery)]);

    expect({ accepted, outbox, state }).toEqual({ accepted: 1, outbox: [], state: 'running' });
    expect((await driver.summary()).counts).toMatchObject({ succeeded: 1, ready: 1 });
  });

  test('takes an unclaimed delivery back to the front when a worker comes for it', async () => {
    const driver = await submit(4, 2);
    await driver.turn(1);

    await pause(driver);
    const first = await driver.claim(1);
    const again = await driver.claim(1);
    await resume(driver);
    await driver.turn(1);
    const [next] = await driver.deliveries();

    expect([first, again]).toEqual([
      { kind: 'refused', refusal: 'paused' },
      { kind: 'refused', refusal: 'gone' },
    ]);
    expect(next?.ids).toEqual([0, 1]);
    expect(next?.starts).toBe(0);
  });

  test('takes a reserved delivery back where it is claimed, and nobody died', async () => {
    const driver = await submit(4);
    await driver.turn(4, 64, 1);

    await pause(driver);

    expect(await driver.claim(1)).toEqual({ kind: 'refused', refusal: 'paused' });
    expect(await redis.exists(driver.run.names.deaths)).toBe(0);
    expect((await driver.summary()).counts).toMatchObject({ ready: 4, queued: 0, running: 0 });
  });

  test('keeps in mind whom a worker died under, and has that task come back alone', async () => {
    const driver = await submit(2, 1);
    await driver.turn(1);
    await driver.claimed(1, 1);

    await pause(driver);
    const second = await driver.claim(1, 2);
    await resume(driver);
    await driver.turn(2);
    const deliveries = await driver.deliveries();

    expect(second).toEqual({ kind: 'refused', refusal: 'paused' });
    expect(await redis.hgetall(driver.run.names.deaths)).toEqual({ 0: '1' });
    expect(deliveries.map(({ ids }) => ids)).toContainEqual([0]);
  });

  test('releases what is delayed, and starts it after it goes on', async () => {
    const plan = planOf([{ ...task, parents: [], retries: 1 }]);
    const driver = await StoreDriver.submit(redis, 'pause', plan);
    await driver.turn();
    const delivery = await driver.claimed(1);
    await driver.settle([settlementOf(delivery, [{ place: 0, code: stateCode.delayed, due: 1 }])]);

    await pause(driver);
    await driver.release([0]);
    const paused = await driver.turn();
    await resume(driver);
    const resumed = await driver.turn();

    expect(paused.outbox).toEqual([]);
    expect(resumed.outbox).toMatchObject([{ firstId: 0, firstAttempt: 2 }]);
  });

  test('ends with its last task', async () => {
    const plan = planOf([{ ...task, parents: [] }]);
    const driver = await StoreDriver.submit(redis, 'pause', plan);
    await driver.turn();
    const delivery = await driver.claimed(1);

    await pause(driver);
    const { state } = await driver.settle([allSucceeded(delivery)]);

    expect(state).toBe('succeeded');
    expect(await driver.summary()).toMatchObject({ state: 'succeeded', pausedAt: null });
    expect(await pause(driver)).toEqual({ state: 'succeeded', isChanged: false });
  });

  test('can be cancelled, and is not paused any more', async () => {
    // Of its own: what others of its shard want is in the same hash.
    const driver = await submit(4, 256, 'pause-and-cancel');
    await pause(driver);

    const page = await haltPage(redis, driver.run, 'cancel', 1);

    expect(page?.state).toBe('cancelled');
    expect(await driver.summary()).toMatchObject({ state: 'cancelled', pausedAt: null });
    expect(await demandOf(driver)).toMatchObject({ 'default@0': '0' });
  });

  test('that is being cancelled can neither be paused nor go on', async () => {
    const driver = await submit(1);
    await driver.turn();
    await driver.claimed(1);
    await haltPage(redis, driver.run, 'cancel', 1);

    expect(await pause(driver)).toEqual({ state: 'halting', isChanged: false });
    expect(await resume(driver)).toEqual({ state: 'halting', isChanged: false });
    expect((await driver.summary()).state).toBe('running');
  });
});

test('ready tasks of a paused run want no slots: others get them', async () => {
  const plan = planOf([{ ...task, parents: [] }], {
    groups: [{ ...groupOf(task, 'c'), pool: 'alone' }],
  });
  const driver = await StoreDriver.submit(redis, 'pause-demand', plan);
  const demands: unknown[] = [];
  const note = async (): Promise<void> => {
    demands.push((await demandOf(driver))['alone@0']);
  };

  await note();
  await pause(driver);
  await pause(driver);
  await note();
  await resume(driver);
  await resume(driver);
  await note();
  await driver.turn();
  await pause(driver);
  await note();
  await driver.claim(1);
  await note();

  expect(demands).toEqual(['1', '0', '1', '1', '0']);
});

test('going on asks the listener for a turn, once', async () => {
  const driver = await submit(1);
  await pause(driver);
  const before = await redis.xlen(driver.run.names.outcomes);

  await resume(driver);
  await resume(driver);

  expect(await redis.xlen(driver.run.names.outcomes)).toBe(before + 1);
});
