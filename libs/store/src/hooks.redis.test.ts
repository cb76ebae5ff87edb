import type { Webhook } from '@runnel/core';
import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { readFeedPage } from './events.ts';
import { listFailedHooks, retryFailedHook } from './failed-hooks.ts';
import {
  type GivenUp,
  type HookStanding,
  moveLane,
  putHooksAside,
  readDueHooks,
  readHookStanding,
} from './hooks.ts';
import { shardOf } from './keys.ts';
import { stateCode } from './packed.ts';
import { startRetry } from './retry.ts';
import type { RedisClient } from './script.ts';
import { retryHook, sealRun } from './scripts.ts';
import { allSucceeded, StoreDriver, settlementOf } from './store-driver.ts';

const webhooks: readonly Webhook[] = [{ url: 'https://example.org/hook' }];

let redis: RedisClient;
let namespace = '';
let namespaces = 0;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});
beforeEach(() => {
  namespace = `lanes${process.pid}x${++namespaces}`;
});
afterAll(async () => {
  await redis.quit();
});

const submit = (options: { readonly expiresAt?: number } = {}): Promise<StoreDriver> =>
  StoreDriver.submit(redis, namespace, planOf([node], { webhooks }), options);

async function play(driver: StoreDriver): Promise<void> {
  await driver.turn();
  await driver.settle([allSucceeded(await driver.claimed(1))]);
}

const due = ({ run }: StoreDriver, now = 1e15): Promise<readonly string[]> =>
  readDueHooks(redis, namespace, shardOf(run.id), { now, count: 10 });

async function standingOf({ run }: StoreDriver): Promise<HookStanding> {
  const standing = await readHookStanding(redis, namespace, run.id);
  if (standing === null) throw new Error('the run is gone');
  return standing;
}

/** Moves the first lane as it was read in `standing`. */
async function moveTo(standing: HookStanding, after: number, givenUp?: GivenUp): Promise<boolean> {
  const [lane] = standing.lanes;
  if (lane === undefined) throw new Error('there is no lane');
  const next = { after, until: null, closed: false, plan: null };
  return await moveLane(
    redis,
    namespace,
    { standing, lane },
    {
      next,
      ...(givenUp === undefined ? {} : { givenUp }),
    },
  );
}

const lost: GivenUp = {
  ...{ until: 3, firstTo: 3, isReset: false, tries: 12, firstAt: 5, at: 9, error: 'no' },
};
const all = { limit: 10 };

describe('a run with webhooks', () => {
  test('is due from its sealing on, before it has started', async () => {
    const driver = await submit({ expiresAt: 99 });

    expect(await due(driver, 1)).toEqual([driver.run.id]);
    expect(await standingOf(driver)).toMatchObject({ last: 0, hasEnded: false });
  });

  test('is not due where it has none', async () => {
    const driver = await StoreDriver.submit(redis, namespace, planOf([node]));

    expect(await due(driver)).toEqual([]);
  });

  test('is sealed once, however often that is asked', async () => {
    const driver = await submit();
    const token = await redis.hget(driver.run.names.meta, 'submitToken');
    await putHooksAside(redis, namespace, await standingOf(driver), null);

    await sealRun.run(redis, driver.run.keys, [token ?? '', 4_096, 1, 'running', 0]);

    expect(await due(driver)).toEqual([]);
  });

  test('is put aside, and out of the set, only as it was read', async () => {
    const driver = await submit();
    const early = await standingOf(driver);
    await play(driver);

    const refused = await putHooksAside(redis, namespace, early, null);
    const stillDue = await due(driver);
    const late = await standingOf(driver);
    const aside = await putHooksAside(redis, namespace, late, 5_000);
    const before = await due(driver, 4_999);
    const after = await due(driver, 5_000);
    await putHooksAside(redis, namespace, late, null);

    expect([refused, aside]).toEqual([false, true]);
    expect(stillDue).toEqual([driver.run.id]);
    expect([before, after]).toEqual([[], [driver.run.id]]);
    expect(await due(driver)).toEqual([]);
    expect(late.hasEnded).toBe(true);
  });

  test('comes back when it is retried, also where it was just being put out', async () => {
    const driver = await submit();
    await driver.turn();
    const delivery = await driver.claimed(1);
    await driver.settle([settlementOf(delivery, [{ place: 0, code: stateCode.failed }])]);
    const ended = await standingOf(driver);
    await putHooksAside(redis, namespace, ended, null);
    const retry = { token: 't', createdAt: 1, now: 7, ids: Uint32Array.of(0) };

    await startRetry(redis, driver.run, retry);
    const raced = await putHooksAside(redis, namespace, ended, null);

    expect(raced).toBe(false);
    expect(await due(driver, 7)).toEqual([driver.run.id]);
  });
});

describe('a lane', () => {
  test('moves only from where it was read', async () => {
    const driver = await submit();
    const standing = await standingOf(driver);

    const moves = [await moveTo(standing, 2), await moveTo(standing, 1), await moveTo(standing, 2)];

    expect(moves).toEqual([true, false, false]);
    expect((await standingOf(driver)).lanes[0]?.state.after).toBe(2);
  });

  test('of a run that is gone makes no key', async () => {
    const driver = await submit();
    const standing = await standingOf(driver);
    await redis.del(driver.run.names.meta);

    expect(await moveTo(standing, 2)).toBe(false);
    expect(await redis.exists(driver.run.names.hookLanes)).toBe(0);
    expect(await readHookStanding(redis, namespace, driver.run.id)).toBeNull();
  });

  test('that gives up writes one entry, however often it is asked', async () => {
    const driver = await submit();
    const standing = await standingOf(driver);

    await moveTo(standing, 3, lost);
    await moveTo(standing, 3, lost);

    const { failed } = await listFailedHooks(redis, namespace, all);
    expect(failed).toMatchObject([{ runId: driver.run.id, hook: 0, after: 0, until: 3, to: 3 }]);
  });
});

describe('what was given up', () => {
  test('gets one lane of its own when it is sent again, however often that is asked', async () => {
    const driver = await submit();
    await moveTo(await standingOf(driver), 3, lost);
    const { failed } = await listFailedHooks(redis, namespace, all);
    const id = failed[0]?.id ?? '';
    await putHooksAside(redis, namespace, await standingOf(driver), null);

    const answer = await retryFailedHook(redis, namespace, { id, now: 10 });
    const entry = id.slice(id.indexOf('-') + 1);
    const again = [driver.run.id, 1, entry, 0, '{}', 0, 11];
    const repeated = await retryHook.run(redis, driver.run.keys, again);

    const lane = { hook: 0, after: 0, until: 3, closed: false };
    expect([answer.kind, repeated]).toEqual(['begun', 'begun']);
    expect((await standingOf(driver)).lanes).toMatchObject([
      { name: '0', state: { after: 3, until: null } },
      { name: `r${entry}`, number: 0, state: { after: 0, until: 3, plan: { to: 3, tries: 0 } } },
    ]);
    expect(JSON.parse((await redis.hget(driver.run.names.hookLanes, `r${entry}`)) ?? '')).toEqual({
      ...lane,
      plan: { to: 3, isReset: false, tries: 0, dueAt: 10, firstAt: 10, error: null },
    });
    expect(await due(driver, 10)).toEqual([driver.run.id]);
    expect((await listFailedHooks(redis, namespace, all)).failed).toEqual([]);
  });

  test('is not missed where the run was just being put out of the set', async () => {
    const driver = await submit();
    await play(driver);
    await moveTo(await standingOf(driver), 3, lost);
    const told = await standingOf(driver);
    const { failed } = await listFailedHooks(redis, namespace, all);

    await retryFailedHook(redis, namespace, { id: failed[0]?.id ?? '', now: 10 });

    expect(await putHooksAside(redis, namespace, told, null)).toBe(false);
    expect(await due(driver, 10)).toEqual([driver.run.id]);
  });

  test('of a lane that is done with does not come back by a late move', async () => {
    const driver = await submit();
    await moveTo(await standingOf(driver), 3, lost);
    const { failed } = await listFailedHooks(redis, namespace, all);
    await retryFailedHook(redis, namespace, { id: failed[0]?.id ?? '', now: 10 });
    const standing = await standingOf(driver);
    const lane = standing.lanes[1];
    if (lane === undefined) throw new Error('there is no second lane');
    await moveLane(redis, namespace, { standing, lane }, { next: null });

    const moved = await moveLane(redis, namespace, { standing, lane }, { next: lane.state });

    expect(moved).toBe(false);
    expect((await standingOf(driver)).lanes).toHaveLength(1);
  });
});

describe('a page of a feed', () => {
  test('has events of tasks only where they are wanted, and where it ends in both cases', async () => {
    const driver = await submit();
    await play(driver);

    const both = await readFeedPage(redis, driver.run, 0, { wantsTasks: true });
    const runs = await readFeedPage(redis, driver.run, 0, { wantsTasks: false });
    const rest = await readFeedPage(redis, driver.run, 3, { wantsTasks: true });

    expect(both?.events.map(({ kind }) => kind)).toEqual(['started', 'task', 'ended']);
    expect(runs?.events.map(({ kind }) => kind)).toEqual(['started', 'ended']);
    expect([both, runs].map((page) => [page?.first, page?.last])).toEqual([
      [1, 3],
      [1, 3],
    ]);
    expect(rest).toBeNull();
  });

  test('ends before an entry that is missing', async () => {
    const driver = await submit();
    await play(driver);
    await redis.xdel(driver.run.names.events, '0-2');

    const first = await readFeedPage(redis, driver.run, 0, { wantsTasks: true });
    const second = await readFeedPage(redis, driver.run, 1, { wantsTasks: true });

    expect([first?.first, first?.last]).toEqual([1, 1]);
    expect([second?.first, second?.last]).toEqual([3, 3]);
  });
});
