import {
  attemptEnds,
  finalRunState,
  finalStates,
  type Graph,
  graphArbitrary,
  planOf,
} from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectRedis } from './connect.ts';
import { readEvents } from './events.ts';
import { type Delivery, isClaimed, stateCode } from './packed.ts';
import type { RedisClient } from './script.ts';
import { type PlaceEnd, StoreDriver, settlementOf } from './store-driver.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

/** A run's own log: what started and what was accepted, in order. */
interface Journal {
  readonly starts: { readonly id: number; readonly accepted: ReadonlySet<number> }[];
  readonly accepted: Map<number, number>;
}

test('200 random graphs end as the table of runIf says, each task accepted once', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(60),
    fc.infiniteStream(fc.nat(1_000_000)),
    fc.integer({ min: 1, max: 8 }),
    async (graph, stream, maxBatch) => {
      const driver = await StoreDriver.submit(redis, 'model', planOf(graph), { maxBatch });
      const draw = drawFrom(stream);

      const journal = await play(driver, graph, draw);

      expect(await driver.finalStates()).toEqual(finalStates(graph));
      const summary = await driver.summary();
      expect(summary.state).toBe(finalRunState(graph));
      expect([...journal.accepted.values()].every((count) => count === 1)).toBe(true);
      checkOrder(graph, journal);
      expect(await readFeed(driver)).toEqual(feedOf(graph, journal));
      expect(await leftovers(driver)).toEqual({ deliveries: 0, outbox: 0, backlog: 0, ready: 0 });
    },
  );

  await fc.assert(property, { numRuns: 200 });
}, 120_000);

/** Children whose rule waits for every parent start after all their parents' accepted ends. */
function checkOrder(graph: Graph, journal: Journal): void {
  for (const { id, accepted } of journal.starts) {
    const node = graph[id];
    if (node === undefined || node.runIf.startsWith('any-')) continue;
    for (const parent of node.parents) {
      const isTask = graph[parent.id]?.isBarrier === false;
      const ran = journal.accepted.has(parent.id);
      if (isTask && ran) expect(accepted.has(parent.id)).toBe(true);
    }
  }
}

/** Every event in the words of the model, sorted; the numbers go from 1 on without gaps. */
async function readFeed(driver: StoreDriver): Promise<readonly string[]> {
  const events = [];
  for (let after = 0; ; after = events.length) {
    const more = await readEvents(redis, driver.run, after);
    if (more.length === 0) break;
    events.push(...more);
  }
  expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
  expect([events[0]?.kind, events.at(-1)?.kind]).toEqual(['started', 'ended']);
  return events
    .flatMap((event) =>
      event.kind === 'task' ? [`${event.task} ${event.state} ${event.attempt}`] : [],
    )
    .sort();
}

/** One event for each attempt of what ran, one for each other task, none for barriers. */
function feedOf(graph: Graph, journal: Journal): readonly string[] {
  const states = finalStates(graph);
  return graph
    .flatMap((node, id) => {
      if (node.isBarrier) return [];
      if (!journal.accepted.has(id)) return [`${id} ${states[id]} 0`];
      const ends = attemptEnds(node);
      return ends.map((_, index) => {
        const isLast = index === ends.length - 1;
        return `${id} ${isLast ? states[id] : 'delayed'} ${index + 1}`;
      });
    })
    .sort();
}

async function play(
  driver: StoreDriver,
  graph: Graph,
  draw: (n: number) => number,
): Promise<Journal> {
  const journal: Journal = { starts: [], accepted: new Map() };
  const delayed = new Set<number>();
  for (let step = 0; step < 5_000; step++) {
    const progress = await driver.turn(1 + draw(4), 1 + draw(20), draw(3));
    if (progress.state !== 'running') return journal;
    if (draw(2) === 0) await driver.clearOutbox(progress.outbox.map(({ carrier }) => carrier));
    const open = await driver.deliveries();
    if (open.length > 0) await carryOut(driver, graph, journal, delayed, { open, draw });
    if (delayed.size > 0 && (open.length === 0 || draw(3) === 0)) {
      await driver.release([...delayed]);
      await driver.release([...delayed]);
      delayed.clear();
    }
  }
  throw new Error('the run did not end');
}

/** One delivery is claimed and reported in one or two parts, some of them twice. */
async function carryOut(
  driver: StoreDriver,
  graph: Graph,
  journal: Journal,
  delayed: Set<number>,
  { open, draw }: { open: readonly Delivery[]; draw: (n: number) => number },
): Promise<void> {
  const chosen = open[draw(open.length)];
  if (chosen === undefined) return;
  // What was reserved may start without a claim.
  const isReserved = chosen.starts === 0 && isClaimed(chosen);
  const delivery =
    isReserved && draw(2) === 0
      ? chosen
      : await driver.claimed(chosen.carrier, chosen.attemptsStarted + 1);
  const places = delivery.ids.map((_, place) => place).filter((place) => delivery.open[place]);
  const accepted = new Set(journal.accepted.keys());
  for (const place of places) journal.starts.push({ id: delivery.ids[place] ?? -1, accepted });
  const ends = places.map((place) => endOf(graph, delivery, place));
  const cut = draw(places.length + 1);
  for (const part of [ends.slice(0, cut), ends.slice(cut)]) {
    if (part.length === 0) continue;
    const settlement = settlementOf(delivery, part);
    const first = await driver.settle([settlement], 4, 1 + draw(16), draw(3));
    expect(first.accepted).toBe(part.length);
    if (draw(3) === 0) {
      const second = await driver.settle([settlement], 4, 1 + draw(16));
      expect(second).toMatchObject({ accepted: 0, duplicates: part.length });
    }
    for (const { place, code } of part) note(journal, delayed, delivery.ids[place] ?? -1, code);
  }
}

function note(journal: Journal, delayed: Set<number>, id: number, code: number): void {
  if (code === stateCode.delayed) delayed.add(id);
  else journal.accepted.set(id, (journal.accepted.get(id) ?? 0) + 1);
}

function endOf(graph: Graph, delivery: Delivery, place: number): PlaceEnd {
  const node = graph[delivery.ids[place] ?? -1];
  if (node === undefined) throw new Error('unknown id');
  const attempt = delivery.attempts[place] ?? 1;
  const ends = attemptEnds(node);
  const isLast = attempt >= ends.length;
  const code = ends[attempt - 1] === 'succeeded' ? stateCode.succeeded : stateCode.failed;
  return isLast ? { place, code } : { place, code: stateCode.delayed, due: 1 };
}

async function leftovers(driver: StoreDriver): Promise<Record<string, number>> {
  const { names } = driver.run;
  const ready = await Promise.all((driver.run.keys.more ?? []).map((key) => redis.llen(key)));
  return {
    deliveries: await redis.hlen(names.deliveries),
    outbox: await redis.zcard(names.outbox),
    backlog: await redis.llen(names.backlog),
    ready: ready.reduce((sum, count) => sum + count, 0),
  };
}

/** Random choices that shrink with the case. */
function drawFrom(stream: Iterator<number>): (n: number) => number {
  return (n) => {
    const next = stream.next();
    return (next.done === true ? 0 : next.value) % Math.max(1, n);
  };
}
