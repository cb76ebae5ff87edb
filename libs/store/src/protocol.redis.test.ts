import { groupOf, planOf } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { handBack } from './deliveries.ts';
import { stateCode } from './packed.ts';
import type { RedisClient } from './script.ts';
import { allSucceeded, StoreDriver, settlementOf } from './store-driver.ts';
import { haltPage, reissue } from './turns.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const task = {
  isBarrier: false,
  runIf: 'all-succeeded',
  attempts: ['succeeded'],
  retries: 0,
} as const;

/** Tasks without parents, in one group. */
function independent(count: number): ReturnType<typeof planOf> {
  return planOf(
    Array.from({ length: count }, () => ({ ...task, parents: [], allowFailure: false })),
  );
}

async function submit(count: number, maxBatch = 256): Promise<StoreDriver> {
  return await StoreDriver.submit(redis, 'protocol', independent(count), { maxBatch });
}

describe('a claim', () => {
  test('with the same token gets the same answer', async () => {
    const driver = await submit(4);
    await driver.turn();
    const token = Buffer.from('12345678');

    const first = await driver.claim(1, 1, token);
    const second = await driver.claim(1, 1, token);

    expect(first).toEqual(second);
    expect(first.kind).toBe('claimed');
  });

  test('of a job that BullMQ did not start anew is late', async () => {
    const driver = await submit(4);
    await driver.turn();
    await driver.claimed(1);

    expect(await driver.claim(1, 1)).toEqual({ kind: 'refused', refusal: 'late' });
  });

  test('of a finished delivery, after a late second addBulk, steals nothing', async () => {
    const driver = await submit(4);
    await driver.turn();
    await driver.settle([allSucceeded(await driver.claimed(1))]);

    expect(await driver.claim(1, 1)).toEqual({ kind: 'refused', refusal: 'gone' });
    expect((await driver.summary()).state).toBe('succeeded');
  });

  test('takes the outbox entry away, so that nothing is added again', async () => {
    const driver = await submit(4);
    const before = await driver.turn();

    await driver.claimed(1);

    expect(before.outbox).toHaveLength(1);
    expect((await driver.turn()).outbox).toEqual([]);
  });
});

describe('a reserved delivery', () => {
  test('is told once it is cut, and its outcomes count without a claim', async () => {
    const driver = await submit(4);

    const { reserved, outbox } = await driver.turn(4, 64, 1);
    const [delivery] = reserved;
    if (delivery === undefined) throw new Error('nothing was reserved');
    const answer = await driver.settle([allSucceeded(delivery)]);

    expect(outbox.map(({ carrier }) => carrier)).toEqual([delivery.carrier]);
    expect(answer).toMatchObject({ state: 'succeeded', accepted: 4, reserved: [] });
  });

  test('is reserved for no more slots than were asked for', async () => {
    const driver = await submit(4, 1);

    const { reserved, outbox } = await driver.turn(4, 64, 3);

    expect(reserved.map(({ carrier }) => carrier)).toEqual([1, 2, 3]);
    expect(outbox).toHaveLength(4);
  });

  test('belongs to the worker that gets the first start of its job, and nobody died', async () => {
    const driver = await submit(4);
    const { reserved } = await driver.turn(4, 64, 1);

    const delivery = await driver.claimed(1, 1);
    const late = await driver.settle(reserved.map(allSucceeded));

    expect(late).toMatchObject({ accepted: 0, duplicates: 4 });
    expect(await driver.redis.exists(driver.run.names.deaths)).toBe(0);
    expect(await driver.settle([allSucceeded(delivery)])).toMatchObject({ state: 'succeeded' });
  });

  test('counts as started when its job starts again: the worker that had it is dead', async () => {
    const driver = await submit(4);
    await driver.turn(4, 64, 1);

    expect(await driver.claim(1, 2)).toEqual({ kind: 'refused', refusal: 'split' });
    expect(await driver.redis.hlen(driver.run.names.deaths)).toBe(4);
  });

  test('of a run that is cancelled is decided by its outcome', async () => {
    const driver = await submit(4);
    const { reserved } = await driver.turn(4, 64, 1);

    await haltPage(driver.redis, driver.run, 'cancel', 1);
    const answer = await driver.settle(reserved.map(allSucceeded));

    expect(answer).toMatchObject({ state: 'succeeded', accepted: 4 });
  });
});

describe('tasks that are handed back', () => {
  test('at some places come again in another delivery; the others still count', async () => {
    const driver = await submit(4);
    await driver.turn();
    const delivery = await driver.claimed(1);

    expect(await handBack(redis, driver.run, { ...delivery, now: 1, places: [1, 3] })).toBe(2);
    expect(await handBack(redis, driver.run, { ...delivery, now: 1, places: [1, 3] })).toBe(0);
    const rest = await driver.settle([allSucceeded(delivery)], 4, 64, 1);
    const [again] = rest.reserved;

    expect(rest).toMatchObject({ accepted: 2, duplicates: 2, state: 'running' });
    expect(again?.ids).toEqual([1, 3]);
    if (again === undefined) throw new Error('nothing was cut');
    expect(await driver.settle([allSucceeded(again)])).toMatchObject({ state: 'succeeded' });
  });

  test('of a run that is cancelled end cancelled', async () => {
    const driver = await submit(4);
    await driver.turn();
    const delivery = await driver.claimed(1);
    await haltPage(driver.redis, driver.run, 'cancel', 1);

    expect(await handBack(redis, driver.run, { ...delivery, now: 1, places: [1, 3] })).toBe(2);
    await driver.settle([
      settlementOf(
        delivery,
        [0, 2].map((place) => ({ place, code: stateCode.succeeded })),
      ),
    ]);

    expect(await driver.summary()).toMatchObject({
      state: 'cancelled',
      counts: { succeeded: 2, cancelled: 2 },
    });
  });
});

describe('an outcome', () => {
  test('that comes twice counts once while its siblings run', async () => {
    const driver = await submit(9);
    await driver.turn();
    const open = await driver.deliveries();
    const delivery = await driver.claimed(open[0]?.carrier ?? 0);
    const seventh = settlementOf(delivery, [{ place: 7, code: stateCode.succeeded }]);

    const first = await driver.settle([seventh]);
    const second = await driver.settle([seventh]);

    expect(first).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(second).toMatchObject({ accepted: 0, duplicates: 1 });
    const { counts, duplicates } = await driver.summary();
    expect(counts).toMatchObject({ succeeded: 1, running: 8 });
    expect(duplicates).toBe(1);
  });

  test('of a claim that was lost does not count', async () => {
    const driver = await submit(1);
    await driver.turn();
    const dead = await driver.claimed(1, 1);
    const alive = await driver.claimed(1, 2);

    const late = await driver.settle([allSucceeded(dead)]);
    const right = await driver.settle([allSucceeded(alive)]);

    expect(late).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(right).toMatchObject({ accepted: 1, duplicates: 0 });
  });

  test('of an earlier attempt does not count', async () => {
    const driver = await submit(1);
    await driver.turn();
    const delivery = await driver.claimed(1);
    await driver.settle([settlementOf(delivery, [{ place: 0, code: stateCode.delayed, due: 1 }])]);
    await driver.release([0]);
    await driver.turn();
    const second = await driver.claimed(2);
    const stale = settlementOf({ ...second, attempts: [1] }, [
      { place: 0, code: stateCode.failed },
    ]);

    expect(second.attempts).toEqual([2]);
    expect(await driver.settle([stale])).toMatchObject({ accepted: 0, duplicates: 1 });
  });
});

describe('a delivery whose worker died', () => {
  test('comes back task by task, and a task that goes on killing is poison', async () => {
    const driver = await submit(8);
    await driver.turn();
    await driver.claimed(1, 1);

    expect(await driver.claim(1, 2)).toEqual({ kind: 'refused', refusal: 'split' });
    await driver.turn(16);
    const singles = await driver.deliveries();
    expect(singles.map(({ ids }) => ids.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);

    for (const single of singles) {
      const claimed = await driver.claimed(single.carrier, 1);
      if (claimed.ids[0] !== 3) await driver.settle([allSucceeded(claimed)], 16);
    }
    const killer = singles.find(({ ids }) => ids[0] === 3)?.carrier ?? 0;
    const second = await driver.claim(killer, 2);
    expect(second).toMatchObject({ kind: 'claimed', delivery: { isolated: true } });
    expect(await driver.claim(killer, 3)).toEqual({ kind: 'refused', refusal: 'poison' });

    await driver.turn();
    const { state, counts } = await driver.summary();
    expect(state).toBe('failed');
    expect(counts).toMatchObject({ succeeded: 7, failed: 1 });
  });

  test('is given a new carrier when BullMQ lost it, once', async () => {
    const driver = await submit(1);
    await driver.turn();
    const dead = await driver.claimed(1);

    const fresh = await reissue(redis, driver.run, dead, 1);
    const again = await reissue(redis, driver.run, dead, 1);

    expect([fresh, again]).toEqual([2, 0]);
    expect(await driver.settle([allSucceeded(dead)])).toMatchObject({ accepted: 0 });
    expect(await driver.settle([allSucceeded(await driver.claimed(2))])).toMatchObject({
      accepted: 1,
    });
  });

  test('that handed it back counts no death', async () => {
    const driver = await submit(3);
    await driver.turn();
    const delivery = await driver.claimed(1);

    expect(await handBack(redis, driver.run, { ...delivery, now: 1 })).toBe(3);
    expect(await handBack(redis, driver.run, { ...delivery, now: 1 })).toBe(0);
    await driver.turn();

    const [next] = await driver.deliveries();
    expect(next).toMatchObject({ carrier: 2, ids: [0, 1, 2], starts: 0 });
  });
});

describe('a cancelled run', () => {
  test('ends what did not start at once, and running tasks with their outcome', async () => {
    const driver = await submit(20, 2);
    await driver.turn(4);
    const running = await driver.claimed(1);

    await haltAll(driver, 'cancel');
    expect((await driver.summary()).counts).toMatchObject({ running: 2, cancelled: 18 });
    await driver.settle([allSucceeded(running)]);

    const { state, counts } = await driver.summary();
    expect(state).toBe('cancelled');
    expect(counts).toMatchObject({ succeeded: 2, cancelled: 18 });
    expect(await driver.claim(2)).toEqual({ kind: 'refused', refusal: 'gone' });
  });

  test('is cancelled once; again changes nothing', async () => {
    const driver = await submit(3);

    const first = await haltPage(redis, driver.run, 'cancel', 1);
    const second = await haltPage(redis, driver.run, 'cancel', 1);

    expect(first).toMatchObject({ began: true, state: 'cancelled' });
    expect(second).toMatchObject({ began: false, state: 'cancelled' });
  });

  test('lets a delivery end whose tasks had become ready in another order', async () => {
    const childOf = (id: number) => ({
      ...{ ...task, allowFailure: false },
      parents: [{ id, on: 'succeeded' as const }],
    });
    const root = { ...task, allowFailure: false, parents: [] };
    const plan = planOf([root, root, childOf(1), childOf(0)]);
    const driver = await StoreDriver.submit(redis, 'protocol', plan, { maxBatch: 2 });
    await driver.turn();
    const roots = await driver.claimed(1);
    for (const place of [0, 1]) {
      await driver.settle([settlementOf(roots, [{ place, code: stateCode.succeeded }])], 0);
    }
    await driver.turn();
    const children = await driver.claimed(2);

    await haltAll(driver, 'cancel');
    await driver.settle([allSucceeded(children)]);

    expect(children.ids).toEqual([2, 3]);
    expect((await driver.summary()).state).toBe('succeeded');
  });

  test('leaves no time at which a task would have been tried again', async () => {
    const driver = await submit(2);
    await driver.turn();
    const delivery = await driver.claimed(1);
    const ends = [0, 1].map((place) => ({ place, code: stateCode.delayed, due: 1e15 + place }));
    await driver.settle([settlementOf(delivery, ends)]);
    const count = () => redis.zcount(driver.run.names.times, 1e15, 1e15 + 1);
    const before = await count();

    await haltAll(driver, 'cancel');

    expect(before).toBe(2);
    expect(await count()).toBe(0);
    expect((await driver.summary()).counts).toMatchObject({ cancelled: 2, delayed: 0 });
  });

  test('leaves none of its tasks counted as ready', async () => {
    const driver = await submit(3);

    await haltAll(driver, 'cancel');

    expect(Number(await redis.hget(driver.run.names.counts, `0:${stateCode.ready}`))).toBe(0);
  });

  test('whose worker is lost ends when the job starts again', async () => {
    const driver = await submit(2);
    await driver.turn();
    await driver.claimed(1);
    await haltAll(driver, 'cancel');

    expect(await driver.claim(1, 2)).toEqual({ kind: 'refused', refusal: 'cancelled' });
    await driver.turn();

    expect((await driver.summary()).state).toBe('cancelled');
  });
});

test('a run that stops on failure ends what did not start, and is failed', async () => {
  const plan = planOf(
    Array.from({ length: 10 }, () => ({ ...task, parents: [], allowFailure: false })),
    { onFailure: 'stop' },
  );
  const driver = await StoreDriver.submit(redis, 'protocol', plan, { maxBatch: 1 });
  await driver.turn(2);
  const first = await driver.claimed(1);
  const second = await driver.claimed(2);

  await driver.settle([settlementOf(first, [{ place: 0, code: stateCode.failed }])]);
  await haltAll(driver, 'page');
  await driver.settle([allSucceeded(second)]);

  const { state, counts } = await driver.summary();
  expect(state).toBe('failed');
  expect(counts).toMatchObject({ succeeded: 1, failed: 1, cancelled: 8 });
});

describe('the size of a delivery', () => {
  const plan = independent(600);

  async function sizes(options: {
    readonly meanUs?: number;
    readonly expectedMs?: number;
  }): Promise<readonly number[]> {
    const driver = await StoreDriver.submit(redis, 'protocol', plan, options);
    await driver.turn(2);
    return (await driver.deliveries()).map(({ ids }) => ids.length);
  }

  test('is small while the group was never measured: the worker finds out', async () => {
    expect(await sizes({ meanUs: 0 })).toEqual([64, 64]);
  });

  test('goes by what is expected of a group that was never measured, and by nothing else of others', async () => {
    expect(await sizes({ meanUs: 0, expectedMs: 0.005 })).toEqual([256, 256]);
    expect(await sizes({ meanUs: 0, expectedMs: 50 })).toEqual([4, 4]);
    expect(await sizes({ meanUs: 0, expectedMs: 60_000 })).toEqual([1, 1]);
    expect(await sizes({ meanUs: 50_000, expectedMs: 0.005 })).toEqual([4, 4]);
  });

  test('is as large as it may be for quick tasks', async () => {
    expect(await sizes({ meanUs: 5 })).toEqual([256, 256]);
  });

  test('is 200 ms of work for slow ones', async () => {
    expect(await sizes({ meanUs: 50_000 })).toEqual([4, 4]);
    expect(await sizes({ meanUs: 2_000_000 })).toEqual([1, 1]);
  });
});

test('parallelism bounds the tasks that are queued or running', async () => {
  const plan = { ...independent(30), parallelism: 5 };
  const driver = await StoreDriver.submit(redis, 'protocol', plan, { maxBatch: 4 });

  await driver.turn(8);
  await driver.turn(8);

  const open = await driver.deliveries();
  expect(open.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(5);
});

test('a fan-out of 5,000 is paged by its budget and stored cursor, and ends right', async () => {
  const width = 5_000;
  const offsets = Uint32Array.from({ length: width + 2 }, (_, node) => Math.max(0, node - 1));
  const plan = {
    ...independent(1),
    nodeCount: width + 1,
    parentOffsets: offsets,
    parents: new Uint32Array(width),
    groups: [groupOf({ isBarrier: false, retries: 0, allowFailure: false }, 'c')],
    *payloads() {
      for (let node = 0; node <= width; node++) yield { values: [], id: `t${node}` };
    },
  };
  const driver = await StoreDriver.submit(redis, 'protocol', plan);
  await driver.turn();
  await driver.settle([allSucceeded(await driver.claimed(1))], 1, 100);

  let turns = 0;
  while ((await driver.turn(1, 100)).unfinished > 0) turns++;

  expect(turns).toBe(48);
  expect((await driver.summary()).counts).toMatchObject({ waiting: 0, succeeded: 1 });
});

async function haltAll(driver: StoreDriver, kind: 'cancel' | 'page'): Promise<void> {
  let answer = await haltPage(redis, driver.run, kind, 1);
  while (answer?.isPaging === true) answer = await haltPage(redis, driver.run, 'page', 1);
}
