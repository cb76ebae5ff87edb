import type { Plan } from '@runnel/core';
import { type Graph, plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { claim } from './deliveries.ts';
import { type FeedEvent, readEvents, readLastEvent } from './events.ts';
import { stateCode } from './packed.ts';
import type { RedisClient } from './script.ts';
import { startRun } from './scripts.ts';
import { StoreDriver, settlementOf } from './store-driver.ts';
import { haltPage } from './turns.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const afterFirst = { ...node, parents: [{ id: 0, on: 'succeeded' }] } as const;

function submit(graph: Graph, overrides: Partial<Plan> = {}, maxBatch = 256): Promise<StoreDriver> {
  return StoreDriver.submit(redis, 'events', planOf(graph, overrides), { maxBatch });
}

/** One turn, and the end of the first delivery in the second. */
async function play(driver: StoreDriver, code: number, due?: number): Promise<void> {
  await driver.turn();
  const [open] = await driver.deliveries();
  const delivery = await driver.claimed(open?.carrier ?? 0);
  const ends = delivery.ids.map((_, place) => ({
    ...{ place, code },
    ...(due === undefined ? {} : { due }),
  }));
  await driver.settle([settlementOf(delivery, ends)]);
}

async function told(driver: StoreDriver): Promise<readonly string[]> {
  return (await readEvents(redis, driver.run, 0)).map(describeEvent);
}

function describeEvent(event: FeedEvent): string {
  const { number, kind } = event;
  if ('told' in event) return `${number} ${kind} ${event.told.selected}`;
  if (event.kind !== 'task') return `${number} ${kind} ${event.state}`;
  return `${number} task ${event.task} ${event.state} ${event.attempt}`;
}

describe('the feed of a run', () => {
  test('tells of its start, of every task that ends, and of its end, numbered without gaps', async () => {
    const driver = await submit([{ ...node, retries: 1 }, afterFirst, afterFirst]);
    await play(driver, stateCode.delayed, 1);
    await driver.release([0]);
    await play(driver, stateCode.succeeded);
    await play(driver, stateCode.succeeded);

    expect(await told(driver)).toEqual([
      '1 started running',
      '2 task 0 delayed 1',
      '3 task 0 succeeded 2',
      '4 task 1 succeeded 1',
      '5 task 2 succeeded 1',
      '6 ended succeeded',
    ]);
    expect(await readLastEvent(redis, driver.run)).toBe(6);
  });

  test('tells of tasks that end without running, and not of barriers', async () => {
    const driver = await submit([
      node,
      { ...afterFirst, isBarrier: true },
      { ...node, parents: [{ id: 1, on: 'succeeded' }] },
      { ...node, parents: [{ id: 0, on: 'failed' }] },
    ]);
    await play(driver, stateCode.succeeded);
    const skipped = await told(driver);
    await play(driver, stateCode.failed);

    expect(skipped).toEqual(['1 started running', '2 task 0 succeeded 1', '3 task 3 skipped 0']);
    expect((await told(driver)).slice(3)).toEqual(['4 task 2 failed 1', '5 ended failed']);
  });

  test('has one entry for all tasks that a call ended', async () => {
    const driver = await submit(Array.from({ length: 100 }, () => node));

    await play(driver, stateCode.succeeded);
    await driver.turn();

    const { length } = await told(driver);
    expect(await redis.xlen(driver.run.names.events)).toBe(3);
    expect(length).toBe(102);
  });

  test('is not written again by a call that is sent again', async () => {
    const driver = await submit([node, afterFirst]);
    await driver.turn();
    const delivery = await driver.claimed(1);
    const ends = settlementOf(delivery, [{ place: 0, code: stateCode.succeeded }]);

    await driver.settle([ends]);
    await driver.settle([ends]);

    expect(await told(driver)).toEqual(['1 started running', '2 task 0 succeeded 1']);
  });

  test('tells of a cancel once, and of the end that it leads to', async () => {
    const driver = await submit([node]);

    await haltPage(redis, driver.run, 'cancel', 1);
    await haltPage(redis, driver.run, 'cancel', 1);

    expect(await told(driver)).toEqual([
      '1 started running',
      '2 cancelling running',
      '3 ended cancelled',
    ]);
  });

  test('tells of a run that stops on failure', async () => {
    const driver = await submit([node, { ...node, retries: 1 }], { onFailure: 'stop' }, 1);

    await play(driver, stateCode.failed);

    expect((await told(driver)).slice(1)).toEqual(['2 task 0 failed 1', '3 stopping running']);
  });

  test('tells of a task that ended as poison', async () => {
    const driver = await submit([node]);
    await driver.turn();
    for (const starts of [1, 2, 3]) await driver.claim(1, starts);
    await claim(redis, driver.run, {
      ...{ carrier: 1, attemptsStarted: 4, token: Buffer.alloc(8, 9) },
      ...{ maxDeaths: 3, poisonRecord: '{}', now: 1 },
    });

    expect((await told(driver)).slice(1)).toEqual(['2 task 0 failed 1']);
  });

  test('of a run that was only created begins when that is started', async () => {
    const driver = await StoreDriver.submit(redis, 'events', planOf([node]), { expiresAt: 99 });
    const before = await told(driver);

    await startRun.run(redis, driver.run.keys, [5, '']);
    await startRun.run(redis, driver.run.keys, [5, '']);

    expect(before).toEqual([]);
    expect(await told(driver)).toEqual(['1 started running']);
  });

  test('is read on in the middle of an entry', async () => {
    const driver = await submit(Array.from({ length: 10 }, () => node));
    await play(driver, stateCode.succeeded);

    const rest = await readEvents(redis, driver.run, 8);

    expect(rest.map(describeEvent)).toEqual([
      ...['9 task 7 succeeded 1', '10 task 8 succeeded 1', '11 task 9 succeeded 1'],
      '12 ended succeeded',
    ]);
  });

  test('goes on where its stream can not be written', async () => {
    const driver = await submit([node]);
    await redis.del(driver.run.names.events);
    await redis.set(driver.run.names.events, 'not a stream');

    await play(driver, stateCode.succeeded);

    expect((await driver.summary()).state).toBe('succeeded');
  });
});

test('a feed keeps about its newest 10,000 entries', async () => {
  const driver = await submit([...Array.from({ length: 12_000 }, () => node)], {}, 1);
  for (let rounds = 0; rounds < 2_000; rounds++) {
    const open = await driver.deliveries();
    if (open.length === 0 && (await driver.turn(24)).state !== 'running') break;
    const claimed = await Promise.all(open.map(({ carrier }) => driver.claimed(carrier)));
    const ends = [{ place: 0, code: stateCode.succeeded }];
    await Promise.all(claimed.map((one) => driver.settle([settlementOf(one, ends)], 24)));
  }

  const length = await redis.xlen(driver.run.names.events);
  const [first] = await readEvents(redis, driver.run, 0);

  expect(await readLastEvent(redis, driver.run)).toBe(12_002);
  expect(length).toBeGreaterThanOrEqual(10_000);
  expect(length).toBeLessThan(10_200);
  expect(first?.number).toBe(12_002 - length + 1);
}, 60_000);
