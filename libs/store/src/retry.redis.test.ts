import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { stateCode } from './packed.ts';
import { closeRetry, fateOf, readRetrySource, retryPage, startRetry } from './retry.ts';
import type { RedisClient } from './script.ts';
import { StoreDriver, settlementOf } from './store-driver.ts';
import { haltPage } from './turns.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const after = (...ids: readonly number[]) => ({
  ...node,
  parents: ids.map((id) => ({ id, on: 'succeeded' as const })),
});

/** Takes a turn, and ends every open task of it with this code. */
async function endAll(driver: StoreDriver, codeOf: (id: number) => number): Promise<string> {
  await driver.turn();
  let state = '';
  for (const { carrier } of await driver.deliveries()) {
    const claim = await driver.claim(carrier, 1);
    if (claim.kind === 'refused') continue;
    const { ids, open } = claim.delivery;
    const ends = ids.flatMap((id, place) => (open[place] ? [{ place, code: codeOf(id) }] : []));
    ({ state } = await driver.settle([settlementOf(claim.delivery, ends)]));
  }
  return state;
}

async function begin(driver: StoreDriver, selected: readonly number[]): Promise<string | null> {
  const { n, created } = await redis.hgetall(driver.run.names.meta);
  const source = await readRetrySource(redis, driver.run, Number(n));
  const ids = await closeRetry(source, selected);
  const token = String(await redis.incr('retry-test:token'));
  return await startRetry(redis, driver.run, { token, createdAt: Number(created), now: 9, ids });
}

async function bringBack(driver: StoreDriver, selected: readonly number[]): Promise<void> {
  expect(await begin(driver, selected)).toBe('begun');
  for (;;) if ((await retryPage(redis, driver.run, 9))?.phase === 0) return;
}

const succeed = (): number => stateCode.succeeded;
const fail = (): number => stateCode.failed;

test('a task that runs while its parent is brought back is left, and runs once', async () => {
  const plan = planOf([after(), after(), { ...after(0, 1), runIf: 'any-succeeded' }]);
  const driver = await StoreDriver.submit(redis, 'retry', plan, { maxBatch: 1 });
  await driver.turn(2);
  const [first, second] = await driver.deliveries();
  const claimed = await driver.claimed(first?.carrier ?? 0);
  await driver.settle([settlementOf(claimed, [{ place: 0, code: stateCode.succeeded }])]);
  const child = (await driver.deliveries()).find(({ ids }) => ids[0] === 2);
  const running = await driver.claimed(child?.carrier ?? 0);

  const source = await readRetrySource(redis, driver.run, 3);
  await bringBack(driver, [0]);
  await driver.settle([settlementOf(running, [{ place: 0, code: stateCode.succeeded }])]);
  const state = await endAll(driver, succeed);

  expect([0, 1, 2].map((id) => fateOf(source, id))).toEqual(['reset', 'left', 'left']);
  expect(second?.ids).toEqual([1]);
  expect(state).toBe('succeeded');
  expect(await driver.finalStates()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect(await redis.hgetall(driver.run.names.tries)).toEqual({ 0: '2' });
});

/** A child of roots that run one by one; the first has ended and is being brought back. */
async function startBesides(roots: number): Promise<StoreDriver> {
  const ids = Array.from({ length: roots }, (_, id) => id);
  const plan = planOf([...ids.map(() => after()), after(...ids)]);
  const driver = await StoreDriver.submit(redis, 'retry', plan, { maxBatch: 1 });
  await driver.turn(roots);
  await endRoot(driver, 0);
  expect(await begin(driver, [0])).toBe('begun');
  return driver;
}

async function endRoot(driver: StoreDriver, id: number): Promise<void> {
  const open = await driver.deliveries();
  const claimed = await driver.claimed(open.find(({ ids }) => ids[0] === id)?.carrier ?? 0);
  await driver.settle([settlementOf(claimed, [{ place: 0, code: stateCode.succeeded }])]);
}

const statesOf = async ({ run }: StoreDriver) => [
  ...((await redis.getBuffer(run.names.state)) ?? []),
];

test('before every task of it is held, an end decides none of them', async () => {
  const driver = await startBesides(2);
  await retryPage(redis, driver.run, 9, { tasks: 1, edges: 9 });

  await endRoot(driver, 1);
  const besides = await driver.deliveries();
  while ((await retryPage(redis, driver.run, 9, { tasks: 1, edges: 9 }))?.phase !== 0);
  await driver.turn();
  const [again] = await driver.deliveries();
  const first = await endAll(driver, succeed);

  expect(besides).toEqual([]);
  expect(again).toMatchObject({ ids: [0], attempts: [2] });
  expect([first, await endAll(driver, succeed)]).toEqual(['running', 'succeeded']);
});

test('parents that end while those of one task are counted in parts are seen once', async () => {
  const driver = await startBesides(3);
  const { meta } = driver.run.names;
  while ((await redis.hget(meta, 'retryEdge')) !== '1') {
    await retryPage(redis, driver.run, 9, { tasks: 9, edges: 1 });
  }

  await endRoot(driver, 1);
  await endRoot(driver, 2);
  while ((await retryPage(redis, driver.run, 9, { tasks: 9, edges: 1 }))?.phase !== 0);
  const before = await statesOf(driver);
  const first = await endAll(driver, succeed);

  expect(before).toEqual([0, stateCode.succeeded, stateCode.succeeded, 0]);
  expect([first, await endAll(driver, succeed)]).toEqual(['running', 'succeeded']);
});

test('parents that ended before the count and were not visited are seen once', async () => {
  const driver = await startBesides(3);
  await retryPage(redis, driver.run, 9, { tasks: 9, edges: 9 });
  await redis.hset(driver.run.names.meta, 'retry', 1);
  // As if they had ended while no end was visited.
  await endRoot(driver, 1);
  await endRoot(driver, 2);
  await redis.hset(driver.run.names.meta, 'retry', 2);

  while ((await retryPage(redis, driver.run, 9))?.phase !== 0);
  const first = await endAll(driver, succeed);

  expect([first, await endAll(driver, succeed)]).toEqual(['running', 'succeeded']);
});

test('a run whose tasks are about to be brought back does not end once more', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after()]));
  await endAll(driver, fail);
  await begin(driver, [0]);

  const { state } = await driver.turn();

  expect(state).toBe('retrying');
  expect(await driver.summary()).toMatchObject({ state: 'running', endedAt: null });
});

test('failures that a retry leaves alone stop nothing again; a new one does', async () => {
  const plan = planOf([after(), after(), after(), after(2)], { onFailure: 'stop' });
  const driver = await StoreDriver.submit(redis, 'retry', plan);
  await endAll(driver, (id) => (id === 2 ? stateCode.succeeded : stateCode.failed));
  await haltPage(redis, driver.run, 'page', 1);
  expect((await driver.summary()).state).toBe('failed');

  await bringBack(driver, [0, 3]);
  await endAll(driver, succeed);
  const once = await driver.summary();
  await bringBack(driver, [0, 3]);
  await endAll(driver, (id) => (id === 0 ? stateCode.failed : stateCode.succeeded));

  expect(once).toMatchObject({ state: 'failed', halt: null });
  expect(once.counts).toMatchObject({ succeeded: 3, failed: 1 });
  expect((await driver.summary()).halt).toBe('stop');
});

test('a run of which tasks stay cancelled ends cancelled, unless a task failed', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after(), after()]));
  await haltPage(redis, driver.run, 'cancel', 1);

  await bringBack(driver, [0]);
  const state = await endAll(driver, succeed);
  await bringBack(driver, [0]);
  const failed = await endAll(driver, fail);
  await bringBack(driver, [0, 1]);
  const whole = await endAll(driver, succeed);

  expect([state, failed, whole]).toEqual(['cancelled', 'failed', 'succeeded']);
});

test('numbers of attempts go up to what a byte holds', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after()]));
  await endAll(driver, fail);
  const { tries, bases, meta } = driver.run.names;
  await redis.hset(tries, '0', 254);
  await redis.hincrby(meta, 'tries', 1);
  const seen: unknown[] = [];

  for (let round = 0; round < 3; round++) {
    await bringBack(driver, [0]);
    await endAll(driver, fail);
    seen.push([await redis.hget(tries, '0'), await redis.hget(bases, '0')]);
  }

  expect(seen).toEqual([
    ['255', '254'],
    ['255', '254'],
    ['255', '254'],
  ]);
});

test('what takes workers down has all its deaths again', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after()]));
  await driver.turn();
  for (let start = 1; start <= 4; start++) await driver.claim(1, start);
  await driver.turn();
  expect((await driver.summary()).state).toBe('failed');

  await bringBack(driver, [0]);
  await driver.turn();
  const claimed = await driver.claim(2, 1);

  expect(claimed).toMatchObject({ kind: 'claimed', delivery: { attempts: [2], isolated: false } });
  expect(await redis.exists(driver.run.names.deaths)).toBe(0);
});

test('a cancel in the middle of a retry ends everything, and the next retry is not refused', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after(), after(0), after(1)]));
  await endAll(driver, fail);
  await begin(driver, [0]);
  await retryPage(redis, driver.run, 9, { tasks: 2, edges: 1 });

  const page = await haltPage(redis, driver.run, 'cancel', 9);
  const rest = await retryPage(redis, driver.run, 9);
  await bringBack(driver, [0]);
  const states = [await endAll(driver, succeed), await endAll(driver, succeed)];

  expect(page?.state).toBe('cancelled');
  expect(rest).toEqual({ state: 'cancelled', phase: 0 });
  expect([...states, await endAll(driver, succeed)].at(-1)).toBe('succeeded');
});

test('a run that is gone, was made anew under its id, or is being ended is refused', async () => {
  const driver = await StoreDriver.submit(redis, 'retry', planOf([after()]));
  const ids = Uint32Array.of(0);
  const request = { token: 'a', createdAt: 77, now: 9, ids };
  const other = await startRetry(redis, driver.run, request);
  await driver.turn();
  await driver.claimed(1);
  await haltPage(redis, driver.run, 'cancel', 1);
  const halting = await begin(driver, [0]);
  await redis.del(driver.run.names.meta);
  const gone = await startRetry(redis, driver.run, request);

  expect([other, halting, gone]).toEqual([null, 'halting', null]);
});
