import { connectRedis, type RedisClient } from '@runnel/store';
import { entriesOf, GrowingReference, growingSets, topLevel } from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { GrowingRun } from './growing.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const graphs = growingSets({ most: 6, mostOfSets: 4, hasRetries: false }, 0, 1);

test('random graphs with generators in generators come to what their rules say', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.constantFrom(1, 2, 5, 64), async (nodes, edges) => {
      const reference = new GrowingReference(nodes);
      await using run = await GrowingRun.submit(redis, entriesOf(topLevel(nodes)));

      await run.play((id) => {
        const set = reference.sets.get(id);
        const outcome = reference.endOf(id) ?? 'failed';
        return set === undefined ? { outcome } : { outcome, set };
      }, edges);

      expect(run.refused).toEqual([]);
      expect(await run.states()).toEqual(Object.fromEntries(reference.states));
      expect(new Set(run.started).size).toBe(run.started.length);
      expect(await run.findings()).toEqual([]);
    }),
    { numRuns: 100, endOnFailure: false },
  );
}, 240_000);
