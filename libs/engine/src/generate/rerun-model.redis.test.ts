import { connectRedis, type RedisClient } from '@runnel/store';
import {
  entriesOf,
  type GrowingGraph,
  GrowingReference,
  growingSets,
  nameOf,
  topLevel,
} from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { GrowingRun, type TaskEnd } from './growing.test-kit.ts';
import { RerunReference } from './rerun-reference.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const size = { most: 6, mostOfSets: 4, hasRetries: false };

/** Other nodes from a place on, and a new version of some. */
interface Change {
  readonly keep: number;
  readonly other: GrowingGraph;
  readonly bumped: readonly boolean[];
  readonly flipped: readonly boolean[];
}

const change: fc.Arbitrary<Change> = fc.record({
  keep: fc.constantFrom(1, 2, 3, 9, 9, 9),
  other: growingSets(size, 2),
  bumped: fc.array(fc.constantFrom(false, false, true), { minLength: 6, maxLength: 6 }),
  flipped: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
});

/** Graphs in which every other task generates, before all that it may wait for where it does not. */
const generating: fc.Arbitrary<GrowingGraph> = fc
  .tuple(growingSets(size, 0, 3), growingSets(size, 1, 3), growingSets(size, 1, 3))
  .map(([nodes, ...sets]) =>
    nodes.map((node, at) => {
      const set = at % 2 === 1 ? sets[(at - 1) / 2] : undefined;
      return set === undefined ? node : { ...node, set, end: 'succeeded', runIf: 'all-done' };
    }),
  );

function changed({ keep, other, bumped, flipped }: Change, set: GrowingGraph): GrowingGraph {
  const kept = set.slice(0, keep);
  return [...kept, ...other.slice(kept.length)].map((node, at) => {
    if (!bumped[at]) return node;
    const end = node.end === 'failed' ? 'succeeded' : 'failed';
    return { ...node, version: (node.version ?? 0) + 1, end: flipped[at] ? end : node.end };
  });
}

/** What generators generate, and what else tasks end as. */
interface Ends {
  readonly sets: ReadonlyMap<string, readonly object[]>;
  endOf(id: string): 'succeeded' | 'failed' | undefined;
}

function endsOf(reference: Ends): (id: string) => TaskEnd {
  return (id) => {
    const set = reference.sets.get(id);
    const outcome = reference.endOf(id) ?? 'failed';
    return set === undefined ? { outcome } : { outcome, set };
  };
}

test('of sets that are generated again just what has to runs, and all comes to what its rules say', async () => {
  let reused = 0;
  await fc.assert(
    fc.asyncProperty(
      generating,
      fc.constantFrom(1, 2, 5, 64),
      fc.array(fc.constantFrom(0, 1, 1, 1, 2, 3, 3, 4), { minLength: 1, maxLength: 2 }),
      change,
      async (nodes, edges, places, next) => {
        const level = topLevel(nodes);
        const before = new GrowingReference(nodes);
        await using run = await GrowingRun.submit(redis, entriesOf(level));
        await run.play(endsOf(before), edges);
        const selected = new Set(places.map((place) => place % nodes.length));
        const after = new RerunReference(before, (set) => changed(next, set));
        after.evaluate(level, selected);
        run.started.length = 0;

        await run.retry([...selected].map((place) => nameOf(level, place)));
        await run.play(endsOf(after), edges);

        expect(run.refused).toEqual([]);
        expect(await run.states()).toEqual(Object.fromEntries(after.states));
        expect([...run.started].sort()).toEqual([...after.ran].sort());
        expect(await run.findings()).toEqual([]);
        reused += after.reused.size;
      },
    ),
    { numRuns: 100, endOnFailure: false },
  );
  expect(reused).toBeGreaterThan(15);
}, 240_000);

/** Where a run is when tasks are brought back: after so many steps, with some tasks that are left running. */
const stop = fc.record({
  steps: fc.integer({ min: 1, max: 6 }),
  slow: fc.constantFrom(2, 3, 99),
  places: fc.array(fc.nat(40), { minLength: 1, maxLength: 2 }),
});

test('a run whose tasks are brought back at any moment comes to what its rules say', async () => {
  let begun = 0;
  await fc.assert(
    fc.asyncProperty(
      generating,
      fc.constantFrom(1, 2, 5, 64),
      fc.array(stop, { minLength: 1, maxLength: 4 }),
      async (nodes, edges, stops) => {
        const reference = new GrowingReference(nodes);
        await using run = await GrowingRun.submit(redis, entriesOf(topLevel(nodes)));
        const endOf = endsOf(reference);

        for (const { steps, slow, places } of stops) {
          const isSlow = (id: string): boolean => (id.length + Number(id.at(-1))) % slow === 1;
          await run.playSteps((id) => (isSlow(id) ? null : endOf(id)), edges, steps);
          const ids = Object.keys(await run.states());
          const wanted = places.map((place) => ids[place % ids.length] ?? '');
          if (await run.beginRetry([...new Set(wanted)])) begun++;
        }
        await run.play(endOf, edges);

        expect(run.refused).toEqual([]);
        expect(await run.states()).toEqual(Object.fromEntries(reference.states));
        expect(await run.findings()).toEqual([]);
      },
    ),
    { numRuns: 100, endOnFailure: false },
  );
  expect(begun).toBeGreaterThan(100);
}, 240_000);
