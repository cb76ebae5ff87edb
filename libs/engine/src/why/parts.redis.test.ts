import {
  cancelPage,
  changePaused,
  connectRedis,
  type RedisClient,
  startCancel,
} from '@runnel/store';
import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { after, Scene } from './scene.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const at = Date.UTC(2030, 0, 31);

async function pause(scene: Scene, parts: { groups?: number[]; tasks?: number[] }): Promise<void> {
  await changePaused(redis, scene.driver.run, {
    ...{ kind: 'pause', createdAt: 1, now: at, by: 'ann@host', told: '{}' },
    ...{ groups: [], tasks: [], ...parts },
  });
}

async function cancel(scene: Scene, ids: readonly number[]): Promise<void> {
  await startCancel(redis, scene.driver.run, {
    ...{ token: 't', createdAt: 1, now: at, ids: Uint32Array.from(ids), told: '{}' },
    record: { at, by: 'ann@host', spans: ids.map((id) => [id, id]) },
  });
  while ((await cancelPage(redis, scene.driver.run, at))?.phase !== 0);
}

test('a ready task of a paused class waits for that alone', async () => {
  await using scene = await Scene.start(redis, planOf([node, after([0])]));
  await pause(scene, { groups: [0] });
  await scene.driver.turn();

  const { reasons, summary } = await scene.why(0);

  expect(reasons.map(({ code }) => code)).toEqual(['paused']);
  expect(reasons[0]?.since).toBe(at);
  expect(reasons[0]?.remedy).toContain('--class c0');
  expect(summary).toContain('its class c0 is paused by ann@host');
});

test('a waiting task that is paused says both', async () => {
  await using scene = await Scene.start(redis, planOf([node, after([0])]));
  await pause(scene, { tasks: [1] });

  const { reasons } = await scene.why(1);

  expect(reasons.map(({ code }) => code)).toEqual(['paused', 'parents']);
  expect(reasons[0]?.remedy).toContain('--task t1');
});

test('a run of which only paused tasks are left says so first', async () => {
  await using scene = await Scene.start(redis, planOf([node, after([0])]));
  await pause(scene, { groups: [0] });
  await scene.driver.turn();

  const { reasons } = await scene.why();

  expect(reasons.map(({ code }) => code)).toEqual(['paused', 'parents']);
  expect(reasons[0]).toMatchObject({ count: 1, since: at });
});

test('a task that its worker has to end, and its run, are being cancelled', async () => {
  await using scene = await Scene.start(redis, planOf([node, after([0])]));
  await scene.driver.turn();
  await scene.claim();
  await cancel(scene, [0]);

  const [task, run] = [await scene.why(0), await scene.why()];

  expect(task.reasons[0]).toMatchObject({ code: 'cancelling', since: at });
  expect(run.reasons.map(({ code }) => code)).toContain('cancelling');
});

test('a task that was cancelled says when and by whom', async () => {
  await using scene = await Scene.start(redis, planOf([node, after([0])]));
  await cancel(scene, [1]);

  const { summary } = await scene.why(1);

  expect(summary).toBe(
    'task t1 is cancelled: it was cancelled by ann@host at 2030-01-31T00:00:00.000Z',
  );
});
