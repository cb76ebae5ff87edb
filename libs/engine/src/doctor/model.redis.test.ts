import {
  closeRetry,
  connectRedis,
  haltPage,
  type RedisClient,
  readRetrySource,
  retryPage,
  setPaused,
  startRetry,
} from '@runnel/store';
import { StoreDriver } from '@runnel/store/store-driver';
import { graphArbitrary, planOf } from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { kindsIn, play } from './model.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

test('50 random graphs are healthy after every step, with backlogs, retries and cancels', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const driver = await StoreDriver.submit(redis, 'doctor-model', planOf(graph), {
        maxBatch: 3,
      });
      const draw = (n: number): number => Number(stream.next().value ?? 0) % n;
      const isCancelled = draw(5) === 0;
      for (let step = 1; step < 300; step++) {
        const { state, outbox } = await driver.turn(3, 1 + draw(6));
        await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
        expect(await kindsIn(redis, driver)).toEqual([]);
        if (state !== 'running' && state !== 'halting') return;
        await play(driver, graph, { draw, starts: step });
        expect(await kindsIn(redis, driver)).toEqual([]);
        if (isCancelled && step > 1) await haltPage(redis, driver.run, 'cancel', 1);
      }
      throw new Error('it did not end');
    },
  );

  await fc.assert(property, { numRuns: 50 });
}, 120_000);

test('50 random graphs are healthy after every page of a retry, and after every step behind it', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const options = { maxBatch: 3 };
      const driver = await StoreDriver.submit(redis, 'doctor-retry', planOf(graph), options);
      const draw = (n: number): number => Number(stream.next().value ?? 0) % n;
      const plan = { retries: 2, draw, nodes: graph.length };
      for (let step = 1; step < 400; step++) {
        const { state, outbox } = await driver.turn(3, 1 + draw(6));
        await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
        expect(await kindsIn(redis, driver)).toEqual([]);
        const isOver = state !== 'running' && state !== 'retrying';
        if (isOver && plan.retries === 0) return;
        await bringSomeBack(driver, plan, isOver);
        expect(await kindsIn(redis, driver)).toEqual([]);
        const isPaused = step < 100 && draw(6) === 0;
        await setPaused(redis, driver.run, isPaused ? 'pause' : 'resume', 1);
        await play(driver, graph, { draw, starts: step });
        expect(await kindsIn(redis, driver)).toEqual([]);
      }
      throw new Error('it did not end');
    },
  );

  await fc.assert(property, { numRuns: 50 });
}, 240_000);

/** Now and then a retry begins, at the latest when the run is over; in any case a page of one. */
async function bringSomeBack(
  driver: StoreDriver,
  plan: { retries: number; readonly draw: (n: number) => number; readonly nodes: number },
  isOver: boolean,
): Promise<void> {
  const { draw, nodes } = plan;
  if (plan.retries > 0 && (isOver || draw(8) === 0)) {
    plan.retries--;
    const { n, created } = await redis.hgetall(driver.run.names.meta);
    const source = await readRetrySource(redis, driver.run, Number(n));
    const ids = await closeRetry(source, [draw(nodes)]);
    const request = { token: `retry ${plan.retries}`, createdAt: Number(created), now: 2, ids };
    const answer = await startRetry(redis, driver.run, request);
    expect(['begun', 'retrying']).toContain(answer);
    expect(await kindsIn(redis, driver)).toEqual([]);
  }
  await retryPage(redis, driver.run, 1, { tasks: 1 + draw(9), edges: 3 });
}
