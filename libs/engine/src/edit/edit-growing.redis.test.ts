import type { FinalTaskState } from '@runnel/core';
import { expandSpec } from '@runnel/spec';
import {
  connectRedis,
  type Delivery,
  isClaimed,
  type RedisClient,
  RunInfo,
  readRunFacts,
  retryPage,
  stateCode,
} from '@runnel/store';
import { type PlaceEnd, settlementOf } from '@runnel/store/store-driver';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ExecutorFacts } from '../executors.ts';
import { GrowingRun, tools } from '../generate/growing.test-kit.ts';
import { retryRun } from '../retry.ts';
import { type EditDone, editRun } from './edit-run.ts';
import {
  type Draw,
  drawGraph,
  editGraph,
  entriesOf,
  type GrowNode,
  instancesOf,
  setOf,
} from './growing-graph.test-kit.ts';
import { type ExpectedFate, fatesOf, type Live, statesOf } from './growing-rules.test-kit.ts';

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
  readonly run: GrowingRun;
  readonly draw: Draw;
  nodes: readonly GrowNode[];
  live: Live;
  /** Tasks end otherwise from one round to the next. */
  round: number;
  readonly started: Set<string>;
}

test('120 random runs with generators are edited at a random moment, and end as the rules say', async () => {
  const property = fc.asyncProperty(fc.infiniteStream(fc.nat(1_000_000)), async (stream) => {
    const draw: Draw = (n) => Number(stream.next().value ?? 0) % Math.max(1, n);
    const nodes = drawGraph(draw, 1 + draw(7));
    await using run = await GrowingRun.submit(redis, entriesOf(nodes));
    const play: Play = { run, draw, nodes, live: new Map(), round: 0, started: new Set() };

    let fixed: ReadonlyMap<string, FinalTaskState> = new Map();
    for (let edits = 1 + draw(2); edits > 0; edits--) {
      await playOn(play, draw(3) === 0 ? 5_000 : draw(30));
      fixed = await editOnce(play);
    }
    await playOn(play, 5_000);
    await checkEnd(play, fixed);
    await runAgain(play);
  });

  await fc.assert(property, { numRuns: 120, endOnFailure: true });
}, 300_000);

/** Returns what was reused: nothing of it runs again. */
async function editOnce(play: Play): Promise<ReadonlyMap<string, FinalTaskState>> {
  const { run, draw } = play;
  const before = { nodes: play.nodes, live: play.live, states: await run.states() };
  const after = editGraph(play.nodes, draw, play.round);

  const answer = await edit(play, after);

  const { fates, live } = fatesOf(before, after);
  expect(countsOf(answer)).toEqual(expectedCounts(fates));
  play.live = live;
  expect(await kindsIn(run)).toEqual([]);
  const known = Object.entries(before.states);
  const states = await run.states();
  for (const [id, state] of known) if (fates.get(id) === 'reused') expect(states[id]).toBe(state);
  expect(Object.keys(states).sort()).toEqual(listIds(fates));
  return new Map(
    known.flatMap(([id, state]) => (fates.get(id) === 'reused' ? [[id, asFinal(state)]] : [])),
  );
}

function asFinal(state: string): FinalTaskState {
  if (state === 'succeeded' || state === 'skipped') return state;
  throw new Error(`${state} was reused`);
}

function listIds(fates: ReadonlyMap<string, ExpectedFate>): readonly string[] {
  return [...fates].flatMap(([id, fate]) => (fate === 'removed' ? [] : [id])).sort();
}

async function edit(play: Play, after: readonly GrowNode[]): Promise<EditDone> {
  const { run } = play;
  const { plan } = expandSpec(
    { defaults: { executor: 'noop' }, tasks: entriesOf(after) },
    { ...tools.options, source: null },
  );
  const spec = { kind: 'document', value: { tasks: [] } } as const;
  const info = await readInfo(run);
  const answer = await editRun({ redis, executors, now: () => 1 }, info, {
    ...{ plan, spec, source: null, priority: 0, by: 'a test' },
  });
  await run.driver.refresh();
  run.infos.forget(run.driver.run.id);
  play.nodes = after;
  play.round++;
  play.started.clear();
  return answer;
}

async function readInfo({ driver }: GrowingRun): Promise<RunInfo> {
  return new RunInfo(redis, await readRunFacts(redis, driver.namespace, driver.run.id));
}

function countsOf({ reused, kept, rerun, new: added, removed }: EditDone): object {
  return { reused, kept, rerun, new: added, removed };
}

function expectedCounts(fates: ReadonlyMap<string, ExpectedFate>): object {
  const counts = { reused: 0, kept: 0, rerun: 0, new: 0, removed: 0 };
  for (const fate of fates.values()) counts[fate]++;
  return counts;
}

async function kindsIn(run: GrowingRun): Promise<readonly string[]> {
  const findings = await run.findings();
  // A run of which nothing is left to be done ends with its next turn.
  const wrong = findings.filter(({ kind }) => kind !== 'end-missed');
  return wrong.map(({ kind, task, detail }) => `${kind} ${task} ${detail}`);
}

/** What was reused is as it was and did not start; all else follows from its parents. */
async function checkEnd(play: Play, fixed: ReadonlyMap<string, FinalTaskState>): Promise<void> {
  const { run, nodes, live, round } = play;
  const expected = statesOf(nodes, live, { fixed, endOf: (id) => endOf(id, round) });
  expect(await run.states()).toEqual(Object.fromEntries(expected));
  expect([...fixed.keys()].filter((id) => play.started.has(id))).toEqual([]);
  expect(await run.state()).toBe(
    [...expected.values()].includes('failed') ? 'failed' : 'succeeded',
  );
  await checkRest(play);
}

async function checkRest({ run }: Play): Promise<void> {
  expect(run.refused).toEqual([]);
  expect(await kindsIn(run)).toEqual([]);
  const { names, keys } = run.driver.run;
  const left = [names.backlog, names.deliveries, names.stash, names.resets, names.retiring];
  expect(await redis.exists(...left, ...(keys.more ?? []))).toBe(0);
  expect(await redis.keys(`*${run.driver.run.id}~*`)).toEqual([]);
}

/** A generator of the edited run generates anew, and what it generated before is replaced. */
async function runAgain(play: Play): Promise<void> {
  const { run } = play;
  const { id } = run.driver.run;
  const generator = play.nodes.find(({ set }) => set !== null);
  if (generator === undefined) return;
  const before = await run.states();
  const from = instancesOf(generator);
  play.round++;
  play.started.clear();
  await retryRun({ redis, now: 1 }, await readInfo(run), { selector: { from }, isDryRun: false });
  while (((await retryPage(redis, run.driver.run, 1))?.phase ?? 0) > 0);
  run.infos.forget(id);

  await playOn(play, 5_000);

  await checkRest(play);
  const states = await run.states();
  // What was generated before by one that does not come to generate this time stays, and comes to what that does.
  if ([...play.live.keys()].some((one) => states[one] !== 'succeeded')) return;
  const expected = statesOf(play.nodes, play.live, {
    fixed: new Map(),
    endOf: (task) => (play.started.has(task) ? endOf(task, play.round) : asEnd(before[task] ?? '')),
  });
  expect(states).toEqual(Object.fromEntries(expected));
}

function asEnd(state: string): 'succeeded' | 'failed' {
  if (state === 'succeeded' || state === 'failed') return state;
  throw new Error(`it had ${state} and did not run`);
}

/** One in six fails; another round, others. */
function endOf(id: string, round: number): 'succeeded' | 'failed' {
  let hash = round * 7_919;
  for (const letter of id) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
  return hash % 6 === 0 ? 'failed' : 'succeeded';
}

async function playOn(play: Play, steps: number): Promise<void> {
  const { run, draw } = play;
  const { driver } = run;
  for (let step = 0; step < steps; step++) {
    const { state, outbox } = await driver.turn(1 + draw(4), 1 + draw(20), draw(3));
    await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
    if (state !== 'running') return;
    const open = await driver.deliveries();
    const chosen = open[draw(open.length)];
    if (chosen !== undefined) await carryOut(play, chosen);
  }
  if (steps >= 5_000) throw new Error('the run did not end');
}

async function carryOut(play: Play, chosen: Delivery): Promise<void> {
  const { run, draw } = play;
  const { driver } = run;
  const isBegun = isClaimed(chosen) && (chosen.starts > 0 || draw(2) === 0);
  const delivery = isBegun
    ? chosen
    : await driver.claimed(chosen.carrier, chosen.attemptsStarted + 1);
  const info = await readInfo(run);
  const ends: PlaceEnd[] = [];
  for (const [place, number] of delivery.ids.entries()) {
    if (!delivery.open[place] || draw(4) === 0) continue;
    const { id, group } = await info.task(number);
    const outcome = endOf(id, play.round);
    play.started.add(id);
    if (group.generator !== undefined && outcome === 'succeeded') {
      await generate(play, delivery, { place, id });
      // As if its worker had died before it told of its end: it is asked for once more.
      if (draw(5) === 0) continue;
    }
    ends.push({ place, code: stateCode[outcome] });
  }
  await driver.settle([settlementOf(delivery, ends)], 4, 1 + draw(16), draw(3));
}

async function generate(
  play: Play,
  delivery: Delivery,
  { place, id }: { readonly place: number; readonly id: string },
): Promise<void> {
  const { run, nodes } = play;
  const found = findNode(nodes, id, play.live);
  const set = setOf(found.node, found.around);
  run.infos.forget(run.driver.run.id);
  let isOver = false;
  const joining = run.join(delivery, entriesOf(set), place).finally(() => {
    isOver = true;
  });
  // It waits while turns retire what another set has replaced.
  while (!isOver) await run.driver.turn(0);
  const joined = await joining;
  if (joined.outcome !== 'succeeded') throw new Error(`${id}: ${JSON.stringify(joined)}`);
  const kept = [...play.live].filter(([one]) => !one.startsWith(`${id}.`));
  play.live = new Map([...kept, [id, set]]);
}

function findNode(
  nodes: readonly GrowNode[],
  id: string,
  live: Live,
): { readonly node: GrowNode; readonly around: readonly GrowNode[] } {
  const dot = id.lastIndexOf('.');
  const around = dot === -1 ? nodes : (live.get(id.slice(0, dot)) ?? []);
  const node = around.find((one) => instancesOf(one).includes(id.slice(dot + 1)));
  if (node === undefined) throw new Error(`there is no ${id}`);
  return { node, around };
}
