import { connectRedis, type RedisClient } from '@runnel/store';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { entriesOf, graphArbitrary, type Level, Reference } from './generator-graphs.test-kit.ts';
import { GrowingRun } from './growing.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

test('random graphs with generators in generators come to what their rules say', async () => {
  await fc.assert(
    fc.asyncProperty(graphArbitrary(0), fc.constantFrom(1, 2, 5, 64), async (nodes, edges) => {
      const level: Level = { nodes, scope: '', depth: 0, around: null };
      const reference = new Reference();
      reference.evaluate(level);
      await using run = await GrowingRun.submit(redis, entriesOf(level));

      await run.play((id) => {
        const set = reference.sets.get(id);
        const outcome = reference.ends.get(id) ?? 'failed';
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
