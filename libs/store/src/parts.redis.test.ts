import { randomBytes } from 'node:crypto';
import { planOf, plainNode as task } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { handBack } from './deliveries.ts';
import { stateCode } from './packed.ts';
import { cancelPage, changePaused, findCancelling, readPaused, startCancel } from './parts.ts';
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

const roots = (count: number) => Array.from({ length: count }, () => ({ ...task, parents: [] }));
const childOf = (id: number) => ({ ...task, parents: [{ id, on: 'succeeded' as const }] });

type Nodes = Parameters<typeof planOf>[0];
const submit = (nodes: Nodes, maxBatch = 1, namespace = 'parts'): Promise<StoreDriver> =>
  StoreDriver.submit(redis, namespace, planOf(nodes), { maxBatch });

function begin(
  driver: StoreDriver,
  ids: readonly number[],
  token = randomBytes(8).toString('hex'),
) {
  return startCancel(redis, driver.run, {
    ...{ token, createdAt: 1, now: 5, told: '{}', ids: Uint32Array.from(ids) },
    record: { at: 5, by: null, spans: null },
  });
}

/** Begins, and goes through all pages; each is sent twice where asked. */
async function cancel(
  driver: StoreDriver,
  ids: readonly number[],
  size = { tasks: 2, entries: 1, edges: 4 },
): Promise<string> {
  expect(await begin(driver, ids)).toBe('begun');
  for (let pages = 0; pages < 200; pages++) {
    const page = await cancelPage(redis, driver.run, 6, size);
    if (page === null) throw new Error('the run is gone');
    if (page.phase === 0) return page.state;
  }
  throw new Error('it never ends');
}

const metaOf = (driver: StoreDriver, field: string) => redis.hget(driver.run.names.meta, field);

describe('tasks that are cancelled', () => {
  test('end at once where they wait, are ready, delayed or in a delivery that nobody has', async () => {
    const driver = await submit([...roots(4), childOf(0)]);
    await driver.turn(2);
    const delivery = await driver.claimed(1);
    await driver.settle(
      [settlementOf(delivery, [{ place: 0, code: stateCode.delayed, due: 99 }])],
      1,
    );
    const before = (await driver.summary()).counts;

    const state = await cancel(driver, [0, 1, 2, 3, 4]);

    expect(before).toMatchObject({ delayed: 1, queued: 1, ready: 2, waiting: 1 });
    expect(state).toBe('cancelled');
    expect(await driver.finalStates()).toEqual(Array(5).fill('cancelled'));
    expect(await redis.zscore(driver.run.names.times, `retry:${driver.run.id}:0`)).toBeNull();
    expect(await redis.exists(driver.run.names.cancel)).toBe(0);
    expect(await metaOf(driver, 'ending')).toBe('0');
  });

  test('have their children end by the usual rules, and the others run on', async () => {
    const driver = await submit([...roots(2), childOf(0), childOf(1)]);

    await cancel(driver, [0]);
    await driver.turn();
    const [left] = await driver.deliveries();
    await driver.settle([allSucceeded(await driver.claimed(left?.carrier ?? 0))]);
    const [last] = await driver.deliveries();
    const { state } = await driver.settle([allSucceeded(await driver.claimed(last?.carrier ?? 0))]);

    expect(state).toBe('cancelled');
    expect(await driver.finalStates()).toEqual(['cancelled', 'succeeded', 'skipped', 'succeeded']);
  });

  test('are cancelled and not skipped, though their parents are cancelled a page before', async () => {
    const driver = await submit([...roots(1), childOf(0), childOf(1), childOf(2), childOf(3)]);

    await cancel(driver, [0, 1, 2, 3, 4], { tasks: 1, entries: 1, edges: 100 });

    expect(await driver.finalStates()).toEqual(Array(5).fill('cancelled'));
  });

  test('are never decided by parents that end later', async () => {
    const any = { ...task, runIf: 'any-succeeded', parents: [{ id: 0, on: 'succeeded' }] } as const;
    const driver = await submit([...roots(1), childOf(0), any]);
    await driver.turn();
    const delivery = await driver.claimed(1);

    await cancel(driver, [1, 2]);
    const { state, outbox } = await driver.settle([allSucceeded(delivery)]);

    expect({ state, outbox }).toEqual({ state: 'cancelled', outbox: [] });
    expect(await driver.finalStates()).toEqual(['succeeded', 'cancelled', 'cancelled']);
  });

  test.each([
    ['cancelled', stateCode.cancelled],
    ['succeeded', stateCode.succeeded],
    ['failed', stateCode.failed],
  ] as const)('end by their outcome where a worker has them: %s', async (state, code) => {
    const driver = await submit(roots(2));
    await driver.turn(1);
    const delivery = await driver.claimed(1);

    await cancel(driver, [0]);
    const seen = await findCancelling(redis, driver.run, [0, 1]);
    const ending = await metaOf(driver, 'ending');
    await driver.settle([settlementOf(delivery, [{ place: 0, code }])]);

    expect({ seen, ending }).toEqual({ seen: [0], ending: '1' });
    expect((await driver.summary()).counts).toMatchObject({ [state]: 1, queued: 1 });
    expect(await metaOf(driver, 'ending')).toBe('0');
  });

  test('are not tried again', async () => {
    const driver = await submit(roots(1));
    await driver.turn();
    const delivery = await driver.claimed(1);

    await cancel(driver, [0]);
    await driver.settle([settlementOf(delivery, [{ place: 0, code: stateCode.delayed, due: 9 }])]);

    expect(await driver.finalStates()).toEqual(['failed']);
  });

  test('leave a delivery that nobody has with the others in it', async () => {
    const driver = await submit(roots(4), 4);
    await driver.turn(1);

    await cancel(driver, [1, 3]);

    expect((await driver.claimed(1)).open).toEqual([true, false, true, false]);
    expect(await metaOf(driver, 'open')).toBe('2');
  });

  test.each([
    ['where the claim comes between the pages', 1],
    ['where its worker died', 2],
  ])('are not handed out by a claim %s', async (_, starts) => {
    const driver = await submit(roots(2), 2);
    await driver.turn(1);
    if (starts === 2) await driver.claimed(1);
    await begin(driver, [0]);
    await cancelPage(redis, driver.run, 6);

    const claimed = await driver.claim(1, starts);

    expect(claimed).toMatchObject({ delivery: { open: [false, true] }, needsTurn: true });
    expect((await driver.summary()).counts).toMatchObject({ cancelled: 1, running: 1 });
    expect(await metaOf(driver, 'ending')).toBe('0');
  });

  test('end where their delivery is handed back, lost, or refused whole', async () => {
    const driver = await submit(roots(3));
    await driver.turn(3);
    const [first, second] = [await driver.claimed(1), await driver.claimed(2)];
    await driver.clearOutbox([1, 2, 3]);
    await begin(driver, [0, 1, 2]);
    await cancelPage(redis, driver.run, 6);

    const back = await handBack(redis, driver.run, { ...first, now: 7 });
    const lost = await reissue(redis, driver.run, second, 7);
    const refused = await driver.claim(3);

    expect({ back, lost, refused }).toEqual({
      ...{ back: 1, lost: 0 },
      refused: { kind: 'refused', refusal: 'cancelled' },
    });
    expect(await driver.finalStates()).toEqual(Array(3).fill('cancelled'));
    expect(await driver.deliveries()).toEqual([]);
  });

  test('do not get from a list into a delivery while pages go through both', async () => {
    const driver = await submit(roots(4));
    await begin(driver, [0]);
    await cancelPage(redis, driver.run, 6);

    const { outbox, state } = await driver.turn();

    expect({ outbox, state }).toEqual({ outbox: [], state: 'changing' });
  });

  test('are asked for once: another change has to wait, the same request is answered alike', async () => {
    const driver = await submit(roots(4));

    const first = await begin(driver, [0], 'token');
    const again = await begin(driver, [0], 'token');
    const other = await begin(driver, [1]);

    expect([first, again, other]).toEqual(['begun', 'begun', 'changing']);
  });

  test('end with all others where the run is cancelled meanwhile', async () => {
    const driver = await submit([...roots(4), childOf(0)]);
    await driver.turn(1);
    const delivery = await driver.claimed(1);
    await begin(driver, [0, 1, 4]);
    await cancelPage(redis, driver.run, 6);

    await haltPage(redis, driver.run, 'cancel', 8);
    const page = await cancelPage(redis, driver.run, 9);
    await driver.settle([settlementOf(delivery, [{ place: 0, code: stateCode.cancelled }])]);

    expect(page).toMatchObject({ state: 'halting', phase: 0 });
    expect(await driver.finalStates()).toEqual(Array(5).fill('cancelled'));
    expect((await driver.summary()).state).toBe('cancelled');
  });

  test('are forgotten where a failure that stops the run ends it at once', async () => {
    const plan = planOf(roots(1), { onFailure: 'stop' });
    const driver = await StoreDriver.submit(redis, 'parts', plan, { maxBatch: 1 });
    await driver.turn(1);
    const delivery = await driver.claimed(1);
    await begin(driver, [0]);

    const { state } = await driver.settle([
      settlementOf(delivery, [{ place: 0, code: stateCode.failed }]),
    ]);

    expect(state).toBe('failed');
    expect(await redis.exists(driver.run.names.cancel)).toBe(0);
    expect(Number(await metaOf(driver, 'cancel'))).toBe(0);
  });
});

describe('parts that are paused', () => {
  const change = (
    driver: StoreDriver,
    kind: 'pause' | 'resume',
    parts: { readonly groups?: readonly number[]; readonly tasks?: readonly number[] },
  ) =>
    changePaused(redis, driver.run, {
      ...{ kind, createdAt: 1, now: 5, by: 'ann@host', told: '{}', groups: [], tasks: [] },
      ...parts,
    });

  test('are kept once, with since when and by whom', async () => {
    const driver = await submit(roots(2));

    const first = await change(driver, 'pause', { groups: [0], tasks: [1] });
    const again = await change(driver, 'pause', { groups: [0], tasks: [1] });

    expect([first, again]).toEqual([
      { state: 'running', changed: 2 },
      { state: 'running', changed: 0 },
    ]);
    expect(await readPaused(redis, driver.run)).toEqual({
      groups: [{ number: 0, since: 5, by: 'ann@host' }],
      tasks: [{ number: 1, since: 5, by: 'ann@host' }],
    });
  });

  test('lie aside, and what stands behind them in their list starts', async () => {
    const driver = await submit([...roots(3), { ...task, parents: [], retries: 1 }]);

    await change(driver, 'pause', { groups: [0] });
    const { outbox } = await driver.turn();

    expect(outbox.map(({ firstId }) => firstId)).toEqual([3]);
    expect((await driver.summary()).counts).toMatchObject({ ready: 3, queued: 1 });
    expect(await metaOf(driver, 'parked')).toBe('3');
    expect(await metaOf(driver, 'r0')).toBe('0');
  });

  test('want no slots of others', async () => {
    const driver = await submit(roots(3), 1, 'parts-demand');

    await change(driver, 'pause', { groups: [0] });
    await driver.turn();

    expect(Object.values(await redis.hgetall(driver.run.names.demand))).not.toContain('1');
  });

  test('come back when they go on, in bounded steps', async () => {
    const driver = await submit(roots(300));
    await change(driver, 'pause', { tasks: [...Array(300).keys()].filter((id) => id % 2 === 0) });
    for (let turns = 0; turns < 3; turns++) await driver.turn(0);
    await driver.turn(1);

    await change(driver, 'resume', { tasks: [...Array(300).keys()] });
    const started = new Set<number>();
    for (let turns = 0; turns < 400; turns++) {
      const { state } = await driver.turn(4);
      if (state !== 'running') break;
      for (const { carrier } of await driver.deliveries()) {
        const delivery = await driver.claimed(carrier);
        for (const id of delivery.ids) started.add(id);
        await driver.settle([allSucceeded(delivery)]);
      }
    }

    expect(started.size).toBe(300);
    expect((await driver.summary()).state).toBe('succeeded');
    expect(await metaOf(driver, 'parked')).toBe('0');
  });

  test('come back from a claim, and the rest of the delivery runs', async () => {
    const driver = await submit(roots(3), 3);
    await driver.turn(1);

    await change(driver, 'pause', { tasks: [1] });
    const claimed = await driver.claim(1);

    expect(claimed).toMatchObject({ delivery: { open: [true, false, true] }, needsTurn: true });
    expect((await driver.summary()).counts).toMatchObject({ ready: 1, running: 2 });
  });

  test('come back whole from the claim of a delivery of a paused class, reserved or not', async () => {
    const driver = await submit(roots(2));
    await driver.turn(2, 64, 1);

    await change(driver, 'pause', { groups: [0] });

    expect([await driver.claim(1), await driver.claim(2)]).toEqual([
      { kind: 'refused', refusal: 'parked' },
      { kind: 'refused', refusal: 'parked' },
    ]);
  });

  test('can be cancelled where they lie aside', async () => {
    const driver = await submit(roots(3));
    await change(driver, 'pause', { groups: [0] });
    await driver.turn();

    const state = await cancel(driver, [0, 1, 2]);

    expect(state).toBe('cancelled');
    expect(await driver.finalStates()).toEqual(Array(3).fill('cancelled'));
    expect(await redis.exists(driver.run.names.parked, driver.run.names.paused)).toBe(0);
  });

  test('are more than may be', async () => {
    const driver = await submit(roots(1));
    const tasks = [...Array(2_001).keys()];

    expect(await change(driver, 'pause', { tasks })).toEqual({ state: 'full', changed: 0 });
    expect(await redis.exists(driver.run.names.paused)).toBe(0);
  });
});
