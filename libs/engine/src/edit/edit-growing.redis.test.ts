import type { FinalTaskState } from '@runnel/core';
import { expandSpec } from '@runnel/spec';
import { connectRedis, type RedisClient, retryPage } from '@runnel/store';
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
} from './growing-graph.test-kit.ts';
import {
  isPausedBy,
  listTasks,
  nameOf,
  type PausedPart,
  pausedParts,
  pauseSome,
  resumeAll,
} from './growing-pauses.test-kit.ts';
import { lastEnd, type Play, playOn, readInfo } from './growing-play.test-kit.ts';
import { countExpected, type ExpectedFate, fatesOf, statesOf } from './growing-rules.test-kit.ts';

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

test('120 random runs with generators and paused parts are edited at a random moment, and end as the rules say', async () => {
  const property = fc.asyncProperty(fc.infiniteStream(fc.nat(1_000_000)), async (stream) => {
    const draw: Draw = (n) => Number(stream.next().value ?? 0) % Math.max(1, n);
    const nodes = drawGraph(draw, 1 + draw(7));
    await using run = await GrowingRun.submit(redis, entriesOf(nodes));
    const play: Play = {
      run,
      draw,
      nodes,
      live: new Map(),
      round: 0,
      started: new Set(),
      generated: new Map(),
    };

    let fixed: ReadonlyMap<string, FinalTaskState> = new Map();
    for (let edits = 1 + draw(2); edits > 0; edits--) {
      await playOn(play, draw(3) === 0 ? 5_000 : draw(30));
      const paused = draw(2) === 0 ? await pauseSome(run, draw) : [];
      fixed = await editOnce(play);
      await checkPaused(play, paused);
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
  expect(countsOf(answer)).toEqual(countExpected(fates));
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

/** What is paused of tasks that are there goes on being paused, and the others are not. */
async function checkPaused(play: Play, paused: readonly PausedPart[]): Promise<void> {
  const { run, draw, started } = play;
  const tasks = await listTasks(run);
  const wanted = paused.filter((part) => tasks.some((task) => isPausedBy(task, part)));
  expect(await pausedParts(run)).toEqual(new Set(wanted.map(nameOf)));
  if (wanted.length === 0) return;
  const states = await run.states();
  const held = tasks.filter(
    (task) => states[task.id] !== 'running' && wanted.some((part) => isPausedBy(task, part)),
  );

  await playOn(play, draw(30));

  expect(held.filter(({ id }) => started.has(id)).map(({ id }) => id)).toEqual([]);
  expect(await kindsIn(run)).toEqual([]);
  await resumeAll(run);
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

function countsOf({ reused, kept, rerun, new: added, removed }: EditDone): object {
  return { reused, kept, rerun, new: added, removed };
}

async function kindsIn(run: GrowingRun): Promise<readonly string[]> {
  const findings = await run.findings();
  // A run of which nothing is left to be done ends with its next turn.
  const wrong = findings.filter(({ kind }) => kind !== 'end-missed');
  return wrong.map(({ kind, task, detail }) => `${kind} ${task} ${detail}`);
}

/** What was reused is as it was and did not start; all else follows from its parents. */
async function checkEnd(play: Play, fixed: ReadonlyMap<string, FinalTaskState>): Promise<void> {
  const { run, nodes, live } = play;
  const expected = statesOf(nodes, live, { fixed, endOf: (id) => lastEnd(play, id) });
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
  const left = [
    names.backlog,
    names.deliveries,
    names.stash,
    names.resets,
    names.retiring,
    names.paused,
  ];
  expect(await redis.exists(...left, names.parked, ...(keys.more ?? []))).toBe(0);
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
    endOf: (task) => (play.started.has(task) ? lastEnd(play, task) : asEnd(before[task] ?? '')),
  });
  expect(states).toEqual(Object.fromEntries(expected));
}

function asEnd(state: string): 'succeeded' | 'failed' {
  if (state === 'succeeded' || state === 'failed') return state;
  throw new Error(`it had ${state} and did not run`);
}
