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
import { type Delivery, isClaimed, stateCode } from './packed.ts';
import { closeRetry, readBases, readRetrySource, retryPage, startRetry } from './retry.ts';
import type { RedisClient } from './script.ts';
import { type PlaceEnd, StoreDriver, settlementOf } from './store-driver.ts';
import { haltPage, setPaused } from './turns.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

type Draw = (n: number) => number;

/** A run that is played: how each task ends from now on, and what was accepted. */
interface Play {
  readonly driver: StoreDriver;
  readonly draw: Draw;
  /** By what has happened: tasks that run from now on end as these do. */
  graph: Graph;
  readonly delayed: Set<number>;
  /** `id.attempt` -> times. */
  readonly accepted: Map<string, number>;
  readonly successes: Set<string>;
}

function secondGraph(graph: Graph, draw: Draw): Graph {
  return graph.map((node) => ({
    ...node,
    attempts: [draw(3) === 0 ? ('failed' as const) : ('succeeded' as const)],
  }));
}

test('150 random graphs end, are retried as selected, and end as the table says', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(50),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const play = await begin(graph, stream);
      await playOn(play, 5_000);
      const before = await play.driver.finalStates();
      const second = secondGraph(graph, play.draw);

      play.graph = second;
      const { ids } = await retry(play, pick(play, graph.length));
      const brought = new Set(ids);
      await playOn(play, 5_000);

      const expected = statesAfter(second, before, brought);
      expect(await play.driver.finalStates()).toEqual(expected);
      const { state } = await play.driver.summary();
      expect(state).toBe(runStateOf(second, expected));
      expect([...play.accepted.values()].every((count) => count === 1)).toBe(true);
      await checkRest(play);
    },
  );

  await fc.assert(property, { numRuns: 150 });
}, 300_000);

test('100 random graphs are retried in the middle of their run, paused or not, several times', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const play = await begin(graph, stream);
      for (let round = 0; round < 3; round++) {
        await playOn(play, 1 + play.draw(12));
        const isPaused = play.draw(4) === 0;
        if (isPaused) await setPaused(redis, play.driver.run, 'pause', 1);
        await retry(play, pick(play, graph.length));
        if (isPaused) await playOn(play, 3);
        await setPaused(redis, play.driver.run, 'resume', 1);
      }

      await playOn(play, 5_000);
      // Whatever happened before, this is a whole run.
      await retry(play, graph.keys());
      await playOn(play, 5_000);

      expect(await play.driver.finalStates()).toEqual(finalStates(graph));
      expect((await play.driver.summary()).state).toBe(finalRunState(graph));
      expect([...play.accepted.values()].every((count) => count === 1)).toBe(true);
      await checkRest(play);
    },
  );

  await fc.assert(property, { numRuns: 100 });
}, 300_000);

test('50 random graphs that were cancelled, some during a retry, are brought back whole', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const play = await begin(graph, stream);
      await playOn(play, 1 + play.draw(8));
      if (play.draw(2) === 0) await begun(play, pick(play, graph.length), play.draw(4));
      for (let page = 0; page < 100; page++) {
        const kind = page === 0 ? 'cancel' : 'page';
        const answer = await haltPage(redis, play.driver.run, kind, 1);
        if (answer?.isPaging !== true) break;
      }
      await playOn(play, 5_000);

      await retry(play, graph.keys());
      await playOn(play, 5_000);

      expect(await play.driver.finalStates()).toEqual(finalStates(graph));
      expect((await play.driver.summary()).state).toBe(finalRunState(graph));
      await checkRest(play);
    },
  );

  await fc.assert(property, { numRuns: 50 });
}, 300_000);

async function begin(graph: Graph, stream: Iterator<number>): Promise<Play> {
  const draw: Draw = (n) => {
    const next = stream.next();
    return (next.done === true ? 0 : next.value) % Math.max(1, n);
  };
  const options = { maxBatch: 1 + draw(6) };
  const driver = await StoreDriver.submit(redis, 'retry-model', planOf(graph), options);
  const accepted = new Map<string, number>();
  return { driver, draw, graph, delayed: new Set(), accepted, successes: new Set() };
}

function pick({ draw }: Play, nodes: number): readonly number[] {
  return Array.from({ length: 1 + draw(4) }, () => draw(nodes));
}

/** Each page is sent twice, as after a lost reply: the second time is the next page. */
async function begun(
  { driver }: Play,
  selected: Iterable<number>,
  pages: number,
): Promise<{ readonly ids: readonly number[] }> {
  const { n, created } = await redis.hgetall(driver.run.names.meta);
  const source = await readRetrySource(redis, driver.run, Number(n));
  const ids = await closeRetry(source, selected);
  const request = { token: String(Math.random()), createdAt: Number(created), now: 2, ids };
  const first = await startRetry(redis, driver.run, request);
  if (first === 'halting') return { ids: [] };
  expect(first).toBe('begun');
  expect(await startRetry(redis, driver.run, request)).toBe('begun');
  expect(await startRetry(redis, driver.run, { ...request, token: 'another' })).toBe('retrying');
  for (let page = 0; page < pages; page++) {
    await retryPage(redis, driver.run, 2, { tasks: 2, edges: 2 });
  }
  return { ids: [...ids] };
}

/** A retry, with turns and outcomes between its pages. */
async function retry(
  play: Play,
  selected: Iterable<number>,
): Promise<{ readonly ids: readonly number[] }> {
  const answer = await begun(play, selected, 0);
  for (let page = 0; page < 5_000; page++) {
    const size = { tasks: 1 + play.draw(8), edges: 1 + play.draw(6) };
    const { phase } = (await retryPage(redis, play.driver.run, 2, size)) ?? { phase: 0 };
    if (phase === 0) return answer;
    if (play.draw(2) === 0) await playOn(play, 1);
  }
  throw new Error('the retry did not end');
}

async function playOn(play: Play, steps: number): Promise<void> {
  const { driver, draw, delayed } = play;
  for (let step = 0; step < steps; step++) {
    const { state, outbox } = await driver.turn(1 + draw(4), 1 + draw(20), draw(3));
    await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
    if (state === 'halting') await haltPage(redis, driver.run, 'page', 1);
    else if (state !== 'running' && state !== 'retrying') return;
    const open = await driver.deliveries();
    const chosen = open[draw(open.length)];
    if (chosen !== undefined) await carryOut(play, chosen);
    if (delayed.size > 0 && (open.length === 0 || draw(3) === 0)) {
      await driver.release([...delayed]);
      delayed.clear();
    }
  }
  if (steps >= 5_000) throw new Error('the run did not end');
}

async function carryOut(play: Play, chosen: Delivery): Promise<void> {
  const { driver, draw } = play;
  let delivery = chosen;
  if (!(chosen.starts === 0 && isClaimed(chosen) && draw(2) === 0)) {
    const claim = await driver.claim(chosen.carrier, chosen.attemptsStarted + 1);
    if (claim.kind === 'refused') return;
    delivery = claim.delivery;
  }
  const bases = await readBases(redis, driver.run, delivery.carrier);
  const places = delivery.ids.flatMap((_, place) => (delivery.open[place] ? [place] : []));
  const ends = places.map((place) => endOf(play, delivery, place, bases[place] ?? 0));
  const { accepted } = await driver.settle(
    [settlementOf(delivery, ends)],
    4,
    1 + draw(16),
    draw(3),
  );
  expect(accepted).toBe(ends.length);
  for (const { place, code } of ends) note(play, delivery, place, code);
}

function note(play: Play, delivery: Delivery, place: number, code: number): void {
  const id = delivery.ids[place] ?? -1;
  const key = `${id}.${delivery.attempts[place]}`;
  play.accepted.set(key, (play.accepted.get(key) ?? 0) + 1);
  if (code === stateCode.delayed) play.delayed.add(id);
  if (code === stateCode.succeeded) play.successes.add(key);
}

/** The retries of a task start anew when it is brought back. */
function endOf(play: Play, delivery: Delivery, place: number, base: number): PlaceEnd {
  const node = play.graph[delivery.ids[place] ?? -1];
  if (node === undefined) throw new Error('unknown id');
  const attempt = (delivery.attempts[place] ?? 1) - base;
  expect(attempt).toBeGreaterThan(0);
  const ends = attemptEnds(node);
  if (attempt < ends.length) return { place, code: stateCode.delayed, due: 1 };
  return { place, code: ends.at(-1) === 'failed' ? stateCode.failed : stateCode.succeeded };
}

type States = ReturnType<typeof finalStates>;

/** Node by node: what was left keeps its end, everything else follows from its parents. */
function statesAfter(graph: Graph, before: States, brought: ReadonlySet<number>): States {
  const states: States[number][] = [];
  for (const [id, node] of graph.entries()) {
    const kept = before[id] ?? 'skipped';
    if (!brought.has(id)) {
      states.push(kept);
      continue;
    }
    const known = graph.slice(0, id).map((_, other) => fixed(states[other] ?? 'skipped'));
    const parents = node.parents;
    states.push(finalStates([...known, { ...node, parents }])[id] ?? 'skipped');
  }
  return states;
}

/** A node that comes to a state by itself; for skipped and upstream-failed with the parent that does it. */
function fixed(state: States[number]): Graph[number] {
  const alone = {
    ...{ isBarrier: false, parents: [], retries: 0, allowFailure: true },
    runIf: 'all-succeeded',
  } as const;
  switch (state) {
    case 'succeeded':
      return { ...alone, attempts: ['succeeded'] };
    case 'failed':
    case 'upstream-failed':
      // To children they are the same.
      return { ...alone, attempts: ['failed'] };
    default:
      return { ...alone, runIf: 'any-failed', parents: [{ id: -1, on: 'failed' }], attempts: [] };
  }
}

function runStateOf(graph: Graph, states: States): 'succeeded' | 'failed' {
  const isFailed = (node: Graph[number], id: number): boolean =>
    states[id] === 'failed' && !node.allowFailure && !node.isBarrier;
  return graph.some(isFailed) ? 'failed' : 'succeeded';
}

/** Nothing is left lying around, and every success can still be found. */
async function checkRest({ driver, successes }: Play): Promise<void> {
  const { names } = driver.run;
  const ready = await Promise.all((driver.run.keys.more ?? []).map((key) => redis.llen(key)));
  const { retry: phase, bad, fin, n } = await redis.hgetall(names.meta);
  expect({ phase: phase ?? '0', fin }).toEqual({ phase: '0', fin: n });
  expect(Number(bad ?? 0)).toBeGreaterThanOrEqual(0);
  expect(await redis.exists(names.retry, names.backlog, names.deliveries, names.outbox)).toBe(0);
  expect(ready.every((count) => count === 0)).toBe(true);
  const past = new Set(await redis.hkeys(names.past));
  const tries = await redis.hgetall(names.tries);
  for (const key of successes) {
    const [id = '', attempt] = key.split('.');
    const isLast = attempt === (tries[id] ?? '1');
    expect(isLast || past.has(key)).toBe(true);
  }
}
