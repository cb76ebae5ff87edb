import { connectRedis, NodePages, type RedisClient, stateCode } from '@runnel/store';
import { settlementOf } from '@runnel/store/store-driver';
import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { after, Scene } from './scene.test-kit.ts';
import { walkBack } from './walk-back.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

/** A chain whose first task has failed, and all of which has heard of it. */
async function brokenChain(length: number): Promise<Scene> {
  const graph = Array.from({ length }, (_, id) => (id === 0 ? node : after([id - 1])));
  const scene = await Scene.start(redis, planOf(graph));
  await scene.driver.turn(1);
  const delivery = await scene.claim();
  const ends = [{ place: 0, code: stateCode.failed }];
  await scene.driver.settle([settlementOf(delivery, ends)], 1, length * 3);
  return scene;
}

test('a walk along 4,000 tasks takes a few reads', async () => {
  await using scene = await brokenChain(4_000);
  const reads = vi.spyOn(redis, 'getrangeBuffer');

  const walk = await walkBack(new NodePages(redis, scene.driver.run), 3_999);

  expect(walk).toMatchObject({ nodes: 3_999, isWhole: true });
  expect(walk.causes.map(({ parent }) => parent)).toEqual([0]);
  expect(walk.causes[0]?.path).toHaveLength(3_999);
  // One page of states, and four of parents with an offset and an edge read each.
  expect(reads.mock.calls).toHaveLength(9);
  reads.mockRestore();
});

test('a walk that would go on too long stops and says so', async () => {
  await using scene = await brokenChain(50);

  const walk = await walkBack(new NodePages(redis, scene.driver.run), 49, 20);

  expect(walk).toEqual({ causes: [], nodes: 20, isWhole: false });
});

test('a task with 20,000 parents is looked at in one read of its own', async () => {
  const parents = Array.from({ length: 20_000 }, () => node);
  const scene = await Scene.start(redis, planOf([...parents, after([...parents.keys()])]), {
    maxBatch: 256,
  });
  await using _open = scene;

  const why = await scene.why(20_000);

  expect(why.reasons.map(({ code, count }) => [code, count])).toEqual([['parents', 20_000]]);
  expect(why.reasons[0]?.tasks).toHaveLength(20);
});
