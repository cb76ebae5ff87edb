import type { Plan } from '@runnel/core';
import { claim, connectRedis, haltPage, type RedisClient, stateCode } from '@runnel/store';
import { settlementOf } from '@runnel/store/store-driver';
import { type Graph, plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { after, failure, Scene } from './scene.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

function start(
  graph: Graph,
  overrides: Partial<Plan> = {},
  options: Parameters<typeof Scene.start>[2] = {},
): Promise<Scene> {
  return Scene.start(redis, planOf(graph, overrides), options);
}

const failed = { code: stateCode.failed };
const succeeded = { code: stateCode.succeeded };

test('a failed task names its last attempt, its exit code and where its log is', async () => {
  await using scene = await start([node]);
  await scene.play(failed, failure);

  const why = await scene.why(0);

  expect(why.state).toBe('failed');
  expect(why.reasons).toHaveLength(1);
  expect(why.reasons[0]).toMatchObject({
    code: 'failed',
    detail: 'attempt 1 failed on worker w1: exit, code 3: no such file (1 of 1)',
    remedy: `the end of its log: runnel logs ${scene.driver.run.id} t0 --attempt 1`,
  });
});

test('a task that took its workers down is poison', async () => {
  await using scene = await start([node]);
  await scene.driver.turn();
  for (const starts of [1, 2, 3]) await scene.claim(starts);
  const poison = JSON.stringify({ ...failure, reason: 'poison', message: 'three workers died' });
  const answer = await claim(redis, scene.driver.run, {
    ...{ carrier: 1, attemptsStarted: 4, token: Buffer.alloc(8, 7) },
    ...{ maxDeaths: 3, poisonRecord: poison, now: 1 },
  });

  const why = await scene.why(0);

  expect(answer).toEqual({ kind: 'refused', refusal: 'poison' });
  expect(why.reasons.map(({ code }) => code)).toEqual(['poison']);
  expect(why.reasons[0]?.detail).toContain('three workers died');
});

test('an upstream-failed task is explained down to the first cause, through barriers', async () => {
  const graph = [
    node,
    after([0]),
    after([1], { isBarrier: true }),
    after([2]),
    after([3]),
    { ...node, retries: 1 },
  ];
  await using scene = await start(graph);
  await scene.driver.turn(1);
  const delivery = await scene.claim();
  await redis.hset(scene.names.failures, '0.1', JSON.stringify(failure));
  await scene.driver.settle([settlementOf(delivery, [{ place: 0, ...failed }])], 1);

  const why = await scene.why(4);

  expect(why.state).toBe('upstream-failed');
  expect(why.summary).toBe(
    'task t4 is upstream-failed: 1 task that it needs failed: t0 (by way of t3, t1)',
  );
  expect(why.reasons.map(({ code }) => code)).toEqual(['upstream-failed', 'failed']);
  expect(why.reasons[1]).toMatchObject({
    detail: 't0: attempt 1 failed on worker w1: exit, code 3: no such file (1 of 1)',
    tasks: [{ number: 0, id: 't0', state: 'failed' }],
  });
});

test('a parent that failed as its edge wanted is not blamed', async () => {
  const graph = [
    node,
    node,
    {
      ...node,
      parents: [
        { id: 0, on: 'failed' as const },
        { id: 1, on: 'succeeded' as const },
      ],
    },
  ];
  await using scene = await start(graph);
  await scene.play(failed, failure);
  for (const { carrier } of await scene.driver.deliveries()) {
    const delivery = await scene.driver.claimed(carrier);
    await redis.hset(scene.names.failures, `${delivery.ids[0]}.1`, JSON.stringify(failure));
    await scene.driver.settle([settlementOf(delivery, [{ place: 0, ...failed }])]);
  }

  const why = await scene.why(2);

  expect(why.state).toBe('upstream-failed');
  expect(why.reasons[0]?.tasks).toEqual([{ number: 1, id: 't1', state: 'failed' }]);
});

test.each([
  [
    'all-succeeded' as const,
    'failed' as const,
    'it runs after a parent that failed: t0, which succeeded',
  ],
  [
    'any-failed' as const,
    'failed' as const,
    'none of its parents failed, such as t0, which succeeded',
  ],
])(
  'a task with runIf %s that was skipped names the parent and its end',
  async (runIf, on, text) => {
    const graph = [node, { ...node, runIf, parents: [{ id: 0, on }] }, after([1])];
    await using scene = await start(graph);
    await scene.play(succeeded);

    const [direct] = (await scene.why(1)).reasons;
    const [further] = (await scene.why(2)).reasons;

    expect(direct).toMatchObject({ code: 'skipped', detail: text });
    expect(further).toMatchObject({ code: 'skipped', detail: `${text} (by way of t1)` });
  },
);

test('a cancelled task tells a cancelled run from one that stops on failure', async () => {
  await using cancelled = await start([node]);
  await haltPage(redis, cancelled.driver.run, 'cancel', 1);
  await using stopped = await start([node, after([0], { runIf: 'all-done' })], {
    onFailure: 'stop',
  });
  await stopped.play(failed, failure);
  await haltPage(redis, stopped.driver.run, 'page', 1);

  expect(await cancelled.codes(0)).toEqual(['cancelled']);
  expect(await cancelled.codes()).toEqual(['cancelled']);
  expect(await stopped.codes(1)).toEqual(['stopped', 'failed']);
  expect(await stopped.codes()).toEqual(['failed', 'stopped']);
});

test('a failed run names failed tasks class by class, with counts and an example each', async () => {
  const graph = [
    ...[node, node],
    { ...node, retries: 1 },
    { ...node, allowFailure: true },
    after([0]),
  ];
  await using scene = await start(graph);
  for (let round = 0; round < 5; round++) await scene.play(failed, failure).catch(() => undefined);
  await scene.driver.turn();

  const why = await scene.why();

  expect(why.state).toBe('failed');
  expect(why.reasons.map(({ code, count }) => [code, count])).toEqual([
    ['failed', 2],
    ['failed', 1],
    ['upstream-failed', 1],
  ]);
  expect(why.summary).toContain(
    'is failed: 2 tasks of class c0 failed, the first: t0: attempt 1 failed',
  );
});

test('what succeeded says so', async () => {
  await using scene = await start([node]);
  await scene.play(succeeded);

  expect((await scene.why(0)).summary).toBe('task t0 is succeeded: attempt 1 succeeded');
  expect((await scene.why()).summary).toContain('is succeeded: 1 of 1 task succeeded');
});
