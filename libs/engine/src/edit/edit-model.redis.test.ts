import type { FinalTaskState } from '@runnel/core';
import {
  connectRedis,
  type Delivery,
  finalStateOf,
  isClaimed,
  type RedisClient,
  RunInfo,
  readBases,
  readEvents,
  readRunFacts,
  readStateBytes,
  setPaused,
  stateCode,
} from '@runnel/store';
import { type PlaceEnd, StoreDriver, settlementOf } from '@runnel/store/store-driver';
import {
  attemptEnds,
  type Draw,
  editNodes,
  fatesByName,
  finalStates,
  fixed,
  graphArbitrary,
  graphOf,
  type NamedNode,
  nameNodes,
  planOfNodes,
} from '@runnel/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { examineRun } from '../doctor/examine.ts';
import type { ExecutorFacts } from '../executors.ts';
import { type EditDone, editRun } from './edit-run.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const executors: ExecutorFacts = {
  lane: () => 'computes',
  maxBatch: () => 4,
  isSideBySide: () => false,
};

/** A run that is played, under whichever revision it has now. */
interface Play {
  readonly driver: StoreDriver;
  readonly draw: Draw;
  nodes: readonly NamedNode[];
  /** Number -> name, of every node that ever was. */
  names: Map<number, string>;
  /** Names of tasks that started since the last edit. */
  readonly started: Set<string>;
}

test('150 random runs are edited at a random moment, some twice, and end as the rules say', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const play = await begin(nameNodes(graph), stream);
      await editOnce(play, 0);
      await editOnce(play, 1);
      await playOn(play, 5_000);
      await checkRest(play);
    },
  );

  await fc.assert(property, { numRuns: 150 });
}, 300_000);

test('while 60 random runs go on they are edited: outcomes that come meanwhile count once', async () => {
  const property = fc.asyncProperty(
    graphArbitrary(40, 5),
    fc.infiniteStream(fc.nat(1_000_000)),
    async (graph, stream) => {
      const play = await begin(nameNodes(graph), stream);
      await playOn(play, play.draw(8));
      const old = play.nodes;
      const after = editNodes(old, play.draw, 0);
      let isOver = false;

      const editing = edit(play, after).finally(() => {
        isOver = true;
      });
      // Under the names of before: what is carried out is of the old revision, or kept.
      for (let step = 0; !isOver && step < 2_000; step++) await playOn(play, 1);
      await editing;
      await playOn(play, 5_000);

      expect(await kindsIn(play)).toEqual([]);
      await checkRest(play);
      const states = await statesByName(play);
      for (const { name } of after) expect(states.get(name)).not.toBeNull();
    },
  );

  await fc.assert(property, { numRuns: 60 });
}, 300_000);

/** Some way on, an edit, and some way on, mostly to the end. */
async function editOnce(play: Play, round: number): Promise<void> {
  const { draw, driver } = play;
  await playOn(play, draw(3) === 0 ? 5_000 : draw(20));
  const isPaused = draw(4) === 0;
  if (isPaused) await setPaused(redis, driver.run, 'pause', 1);
  const before = await statesByName(play);
  const old = play.nodes;
  const after = editNodes(old, draw, round);

  const answer = await edit(play, after);

  const fates = fatesByName(old, after, (name) => before.get(name) ?? null);
  expect(countsOf(answer)).toEqual(expectedCounts(old, after, fates));
  expect(await kindsIn(play)).toEqual([]);
  if (isPaused) await setPaused(redis, driver.run, 'resume', 1);
  await playOn(play, draw(2) === 0 ? 5_000 : draw(20));
  const reused = [...fates].filter(([, fate]) => fate === 'reused').map(([name]) => name);
  expect(reused.filter((name) => play.started.has(name))).toEqual([]);
  await checkFates(play, fates, before);
}

async function begin(nodes: readonly NamedNode[], stream: Iterator<number>): Promise<Play> {
  const draw: Draw = (n) => Number(stream.next().value ?? 0) % Math.max(1, n);
  const driver = await StoreDriver.submit(redis, 'edit-model', planOfNodes(nodes), {
    maxBatch: 1 + draw(4),
  });
  const names = new Map(nodes.map(({ name }, number) => [number, name]));
  return { driver, draw, nodes, names, started: new Set() };
}

async function readInfo({ driver }: Play): Promise<RunInfo> {
  return new RunInfo(redis, await readRunFacts(redis, driver.namespace, driver.run.id));
}

async function edit(play: Play, after: readonly NamedNode[]): Promise<EditDone> {
  const info = await readInfo(play);
  const plan = planOfNodes(after);
  const spec = { kind: 'document', value: { tasks: [] } } as const;
  const answer = await editRun({ redis, executors, now: () => 1 }, info, {
    ...{ plan, spec, source: null, priority: 0, by: 'a test' },
  });
  await play.driver.refresh();
  play.nodes = after;
  play.started.clear();
  const edited = await readInfo(play);
  play.names = new Map();
  for (let number = 0; number < edited.facts.nodeCount; number++) {
    const { id } = await edited.task(number);
    if (after.some(({ name }) => name === id)) play.names.set(number, id);
  }
  return answer;
}

async function statesByName(play: Play): Promise<Map<string, FinalTaskState | null>> {
  const states = await readStateBytes(redis, await readInfo(play));
  const entries = [...play.names].map(
    ([number, name]) => [name, finalStateOf(states[number] ?? 0) ?? null] as const,
  );
  return new Map(entries);
}

function countsOf({ reused, kept, rerun, new: added, removed }: EditDone): object {
  return { reused, kept, rerun, new: added, removed };
}

function expectedCounts(
  before: readonly NamedNode[],
  after: readonly NamedNode[],
  fates: ReadonlyMap<string, string>,
): object {
  const counts = { reused: 0, kept: 0, rerun: 0, new: 0, removed: 0 };
  for (const fate of fates.values()) {
    if (fate === 'reused' || fate === 'kept' || fate === 'rerun' || fate === 'new') counts[fate]++;
  }
  const names = new Set(after.map(({ name }) => name));
  counts.removed = before.filter((node) => !node.isBarrier && !names.has(node.name)).length;
  return counts;
}

async function kindsIn({ driver }: Play): Promise<readonly string[]> {
  const jobs = { findLost: async () => [] };
  const context = { redis, namespace: driver.namespace, jobs, now: () => 1 };
  const { findings } = await examineRun(context, driver.run.id);
  const wrong = findings.filter(({ kind }) => kind !== 'end-missed');
  return wrong.map(({ kind, task, detail }) => `${kind} ${task} ${detail}`);
}

async function playOn(play: Play, steps: number): Promise<void> {
  const { driver, draw } = play;
  for (let step = 0; step < steps; step++) {
    const { state, outbox } = await driver.turn(1 + draw(4), 1 + draw(20), draw(3));
    await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
    if (state !== 'running' && state !== 'editing') return;
    const open = await driver.deliveries();
    const chosen = open[draw(open.length)];
    if (chosen !== undefined) await carryOut(play, chosen);
    if (draw(3) === 0 || open.length === 0) await release(play);
  }
  if (steps >= 5_000) throw new Error('the run did not end');
}

async function release({ driver }: Play): Promise<void> {
  const times = await redis.zrange(driver.run.names.times, '0', '-1');
  const own = times.filter((member) => member.split(':')[1] === driver.run.id);
  await driver.release(own.map((member) => Number(member.split(':')[2])));
}

async function carryOut(play: Play, chosen: Delivery): Promise<void> {
  const { driver, draw } = play;
  let delivery = chosen;
  // What was begun goes on; what was reserved may start without a claim.
  const isBegun = chosen.starts > 0 && isClaimed(chosen);
  const isReserved = chosen.starts === 0 && isClaimed(chosen);
  if (!isBegun && !(isReserved && draw(2) === 0)) {
    const claim = await driver.claim(chosen.carrier, chosen.attemptsStarted + 1);
    if (claim.kind === 'refused') return;
    delivery = claim.delivery;
  }
  const bases = await readBases(redis, driver.run, delivery.carrier);
  const ends = delivery.ids.flatMap((id, place): PlaceEnd[] => {
    if (!delivery.open[place] || draw(5) === 0) return [];
    play.started.add(play.names.get(id) ?? '');
    return [endOf(play, delivery, place, bases[place] ?? 0)];
  });
  const settlement = settlementOf(delivery, ends);
  await driver.settle([settlement], 4, 1 + draw(16), draw(3));
  if (draw(4) === 0) await driver.settle([settlement], 4, 1 + draw(16));
}

function endOf(play: Play, delivery: Delivery, place: number, base: number): PlaceEnd {
  const name = play.names.get(delivery.ids[place] ?? -1);
  const node = graphOf(play.nodes)[play.nodes.findIndex((one) => one.name === name)];
  const attempt = (delivery.attempts[place] ?? 1) - base;
  // Of a task that the edit removes: its result does not count any more.
  const ends = node === undefined ? (['succeeded'] as const) : attemptEnds(node);
  if (attempt < ends.length) return { place, code: stateCode.delayed, due: 1 };
  return { place, code: ends.at(-1) === 'failed' ? stateCode.failed : stateCode.succeeded };
}

/** When the run has ended: what was reused is as it was, all else follows from its parents. */
async function checkFates(
  play: Play,
  fates: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, FinalTaskState | null>,
): Promise<void> {
  const { state } = await play.driver.summary();
  if (state === 'running' || state === 'paused') return;
  const graph = graphOf(play.nodes).map((node, place) => {
    const name = play.nodes[place]?.name ?? '';
    const was = before.get(name) ?? null;
    return fates.get(name) === 'reused' && was !== null ? fixed(was) : node;
  });
  const expected = finalStates(graph);
  const states = await statesByName(play);
  expect(play.nodes.map(({ name }) => states.get(name))).toEqual(expected);
  const isBad = play.nodes.some((node, place) => {
    return expected[place] === 'failed' && !node.allowFailure && !node.isBarrier;
  });
  expect(state).toBe(isBad ? 'failed' : 'succeeded');
}

/** Nothing is left lying around, and each attempt of a task ended once. */
async function checkRest({ driver }: Play): Promise<void> {
  const { names, keys } = driver.run;
  const ready = await Promise.all((keys.more ?? []).map((key) => redis.llen(key)));
  const { fin, n, editing } = await redis.hgetall(names.meta);
  expect({ fin, editing }).toEqual({ fin: n, editing: undefined });
  expect(ready.every((count) => count === 0)).toBe(true);
  const left = [names.backlog, names.deliveries, names.outbox, names.stash, names.resets];
  expect(await redis.exists(...left)).toBe(0);
  expect(await redis.keys(`*${driver.run.id}~*`)).toEqual([]);
  const ends = new Map<string, number>();
  for (let after = 0; ; ) {
    const events = await readEvents(redis, driver.run, after);
    if (events.length === 0) break;
    after = events.at(-1)?.number ?? after;
    for (const event of events) {
      if (event.kind !== 'task' || event.attempt === 0) continue;
      const key = `${event.task}.${event.attempt}`;
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }
  }
  expect([...ends].filter(([, count]) => count > 1)).toEqual([]);
}
