import type { FinalTaskState } from '@runnel/core';
import { runKeyDocs, shardKeyDocs, stateCode } from '@runnel/store';
import { attemptEnds, decideBy, finalStates } from '../model.ts';
import type { GraphNode } from '../random-graph.ts';
import { changedClass } from './actors.ts';
import { findWrongsOfEdits } from './check-edits.ts';
import { findWrongsOfGrowth } from './check-growth.ts';
import { clockKey } from './growth.ts';
import { readFinalStates } from './read-states.ts';
import { hasOutput, names, runId } from './scene.ts';
import type { World } from './world.ts';

type Fields = Readonly<Record<string, string>>;

/** What the run left, read raw. */
interface Left {
  readonly states: readonly (FinalTaskState | undefined)[];
  readonly meta: Fields;
  readonly counts: Fields;
  readonly demand: Fields;
  readonly tries: Fields;
  readonly failures: readonly string[];
  readonly outputs: Fields;
  readonly waiting: Buffer;
  readonly ranges: Buffer;
  readonly keys: readonly string[];
  readonly pending: number;
  readonly length: number;
}

/** Everything that is wrong with what a run left behind; empty where nothing is. */
export async function findWrongs(world: World): Promise<readonly string[]> {
  const left = await readLeft(world);
  const isHalted = left.meta['halt'] !== undefined;
  if (world.growth !== null) {
    return [...(await findWrongsOfGrowth(world, world.growth)), ...leftovers(left)];
  }
  return [
    ...wrongStates(world, left, isHalted),
    ...wrongCounts(world, left),
    ...(await findWrongsOfEdits(world)),
    // What was cancelled, or run again, has made as many attempts as it had come to.
    ...(isHalted || isChanged(world) ? [] : wrongAttempts(world, left)),
    // A cancel of the run drops visits, and a retry counts anew only for what it brings back.
    ...(isHalted || (world.scene.isCancelled && isChanged(world)) ? [] : wrongWaiting(left)),
    ...leftovers(left),
  ];
}

async function readLeft(world: World): Promise<Left> {
  const { redis } = world;
  const [
    states,
    meta,
    counts,
    demand,
    tries,
    failures,
    outputs,
    waiting,
    ranges,
    keys,
    pending,
    length,
  ] = await Promise.all([
    readFinalStates(world),
    redis.hgetall(names.meta),
    redis.hgetall(names.counts),
    redis.hgetall(names.demand),
    redis.hgetall(names.tries),
    redis.hkeys(names.failures),
    redis.hgetall(names.outputs),
    redis.getBuffer(names.waiting),
    redis.getBuffer(names.groupRanges),
    redis.keys('*'),
    redis.xpending(names.outcomes, 'listeners'),
    redis.xlen(names.outcomes),
  ]);
  const empty = Buffer.alloc(0);
  return {
    ...{ states, meta, counts, demand, tries, failures, outputs, keys, length },
    waiting: waiting ?? empty,
    ranges: ranges ?? empty,
    pending: Number(pending[0]),
  };
}

function isChanged({ changed }: World): boolean {
  return changed.has('cancel-class') || changed.has('retry') || changed.has('edit');
}

/** Each by what its parents have come to; tasks of a class that was cancelled may have ended as that. */
function expectedStates(world: World, states: Left['states']): Left['states'] {
  if (!isChanged(world)) return finalStates(world.expected);
  const changed = changedClass(world);
  return world.expected.map((node, id) => {
    const decision = decideBy(node, states);
    const state = decision === 'run' ? runEnd(node) : decision;
    const isOfClass = world.revisions.classOf(id) === changed;
    // A cancel of the run leaves behind what no retry brings back.
    const isCut = world.scene.isCancelled || (isOfClass && world.changed.has('cancel-class'));
    if (!isCut) return state;
    const may = [state, 'cancelled', ...(attemptEnds(node).includes('failed') ? ['failed'] : [])];
    return may.includes(states[id]) ? states[id] : state;
  });
}

function runEnd(node: GraphNode): FinalTaskState {
  return node.isBarrier ? 'succeeded' : (attemptEnds(node).at(-1) ?? 'succeeded');
}

/** Against the model; what a cancel or a stop cut off may be cancelled, or failed on its last try. */
function wrongStates(world: World, { states, meta }: Left, isHalted: boolean): readonly string[] {
  const { expected: graph } = world;
  const expected = expectedStates(world, states);
  const wrong = graph.flatMap((node, id) => {
    const state = states[id];
    if (state === expected[id]) return [];
    const mayFail = !node.isBarrier && attemptEnds(node).includes('failed');
    const isCut = state === 'cancelled' || (state === 'failed' && mayFail);
    return isHalted && isCut ? [] : [`${id} is ${state ?? 'not final'}, not ${expected[id]}`];
  });
  const tasks = states.filter((_, id) => graph[id]?.isBarrier === false);
  const isBad = graph.some(
    (node, id) => !node.isBarrier && !node.allowFailure && states[id] === 'failed',
  );
  const isCancelled = tasks.includes('cancelled') && (meta['halt'] === 'cancel' || !isBad);
  const ended = isBad ? 'failed' : 'succeeded';
  const run = isCancelled ? 'cancelled' : ended;
  return meta['state'] === run ? wrong : [...wrong, `the run is ${meta['state']}, not ${run}`];
}

/** Counters of the run and of its groups against the states. */
function wrongCounts(
  world: World,
  { states, meta, counts, demand, ranges }: Left,
): readonly string[] {
  const { graph } = world;
  const expected: Record<string, number> = { 'meta fin': graph.length, 'meta bad': 0 };
  const add = (name: string): void => {
    expected[name] = (expected[name] ?? 0) + 1;
  };
  for (const [id, node] of graph.entries()) {
    const state = states[id];
    if (node.isBarrier || state === undefined) continue;
    add(`meta c${stateCode[state]}`);
    add(`group ${groupOf(ranges, id)}:${stateCode[state]}`);
    if (state === 'failed' && !node.allowFailure) add('meta bad');
  }
  const found: Record<string, number> = {};
  const zero = /^(fin|bad|c\d|r\d+|i\d+|open|delayed|ending|parked)$/;
  for (const [name, value] of Object.entries(meta)) {
    if (zero.test(name)) found[`meta ${name}`] = Number(value);
  }
  for (const [name, value] of Object.entries(counts)) {
    if (/:\d$/.test(name)) found[`group ${name}`] = Number(value);
  }
  for (const [name, value] of Object.entries(demand)) found[`demand ${name}`] = Number(value);
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap((name) => {
    const [is = 0, be = 0] = [found[name], expected[name]];
    return is === be ? [] : [`${name} is ${is}, not ${be}`];
  });
}

function groupOf(ranges: Buffer, id: number): number {
  let group = 0;
  for (let at = 0; at < ranges.length && ranges.readUInt32LE(at) <= id; at += 8) {
    group = ranges.readUInt32LE(at + 4);
  }
  return group;
}

/** Each attempt of each task that ran was accepted once, under its own number. */
function wrongAttempts(world: World, left: Left): readonly string[] {
  const { poison } = world.scene;
  const ran = world.expected.flatMap((node, id) => {
    const state = left.states[id];
    const isRun = !node.isBarrier && (state === 'succeeded' || state === 'failed');
    return isRun ? [{ id, state, ends: attemptEnds(node) }] : [];
  });
  // The failure of what is poison is nobody's outcome.
  const reported = ran.filter(({ id }) => id !== poison);
  const accepted = reported.reduce((sum, { ends }) => sum + ends.length, 0);
  const tries = ran.flatMap(({ id, ends }) => (ends.length > 1 ? [[id, String(ends.length)]] : []));
  const outputs = ran.flatMap(({ id, state, ends }) =>
    state === 'succeeded' && hasOutput(id) ? [[id, JSON.stringify({ attempt: ends.length })]] : [],
  );
  const failures = ran.flatMap(({ id, ends }) =>
    ends.flatMap((end, index) => (end === 'failed' ? [`${id}.${index + 1}`] : [])),
  );
  const measured = Object.entries(left.counts)
    .filter(([name]) => name.endsWith(':n'))
    .reduce((sum, [, value]) => sum + Number(value), 0);
  return [
    ...differ('attempts accepted', measured, accepted),
    ...differ('retries', Number(left.meta['tries'] ?? 0), accepted - reported.length),
    ...differ('tries', left.tries, Object.fromEntries(tries)),
    ...differ('outputs', left.outputs, Object.fromEntries(outputs)),
    ...differ('failures', [...left.failures].sort(), failures.sort()),
  ];
}

function differ(what: string, is: unknown, be: unknown): readonly string[] {
  const [found, expected] = [JSON.stringify(is), JSON.stringify(be)];
  return found === expected ? [] : [`${what}: ${found}, not ${expected}`];
}

/** Each parent was counted down once. */
function wrongWaiting({ waiting }: Left): readonly string[] {
  const wrong: string[] = [];
  for (let at = 0; at + 4 <= waiting.length; at += 4) {
    const left = waiting.readUInt32BE(at) % 2 ** 24;
    if (left !== 0) wrong.push(`${at / 4} waits for ${left} parents`);
  }
  return wrong;
}

function leftovers({ keys, pending, length }: Left): readonly string[] {
  const kept = Object.entries(runKeyDocs).flatMap(([name, { lifetime }]) =>
    lifetime === 'until the run is deleted' ? [name] : [],
  );
  const allowed = [...kept, ...Object.keys(shardKeyDocs)];
  const emptied = ['submitting', 'active', 'times', 'deadLetters', 'lease'];
  const fine = new Set(
    Object.entries(names).flatMap(([name, key]) =>
      allowed.includes(name) && !emptied.includes(name) ? [key] : [],
    ),
  );
  // Specs of earlier revisions; a document is never its own payload.
  const isEarlier = (key: string): boolean => key.startsWith(`${names.spec}@`) || key === clockKey;
  const needed = [names.ended, names.runs, names.meta];
  return [
    ...keys.filter((key) => !fine.has(key) && !isEarlier(key)).map((key) => `${key} is left`),
    ...needed.filter((key) => !keys.includes(key)).map((key) => `${key} is missing for ${runId}`),
    ...(pending > 0 ? [`${pending} entries are pending`] : []),
    ...(length > 0 ? [`${length} entries are in the stream`] : []),
  ];
}
