import { failpoint, finishInTurns } from '@runnel/core';
import { groupChunk } from '../chunks.ts';
import { bytesOf, toUint32 } from '../packed.ts';
import type { RunInfo } from '../run-info.ts';
import type { GroupRoute } from '../run-parts.ts';
import type { Argument, RedisClient } from '../script.ts';
import { carryAll, dropCarried, listPairs, type Reuse } from './carry-results.ts';
import {
  findReplaced,
  type GeneratedRecord,
  type Replaced,
  readGenerated,
  spansOf,
} from './generated-sets.ts';
import {
  type Base,
  listGroupParts,
  listNodeParts,
  type NewSet,
  placeOf,
  type SetPart,
  type SetSource,
  withNode,
} from './new-set.ts';
import { appendTasks, writeGenerated } from './scripts.ts';

/**
 * Adding what a generator generated to its run. The set is made for the run as it was read; a script takes
 * it only while the run has that shape and this attempt of the generator is open, so two sets never come
 * into each other's way. A small set is one call. A large one is written in pages behind the run's last
 * node under a lock, and then shown by one call: who dies before that leaves bytes that nobody reads, and
 * that the next set overwrites. Until the generator's outcome is accepted nothing of the set starts, since
 * its start barrier waits for that. A worker that dies in between finds the set under the same attempt.
 */
export interface AppendRequest {
  readonly delivery: { readonly carrier: number; readonly token: Buffer };
  readonly generator: number;
  readonly attempt: number;
  readonly set: NewSet;
  /** Of the set's groups. */
  readonly routes: readonly GroupRoute[];
  readonly reuse: Reuse | null;
}

/**
 * - `done`: the set is part of the run.
 * - `gone`: the delivery is another's, or closed; `retired`: the generator itself was replaced.
 * - `moved`: the run has grown or was edited: to be made again for what it is now.
 * - `busy`, `retrying`: to be tried again in a moment. `halting`: the run is being ended early.
 */
export const appendAnswers = [
  ...(['done', 'gone', 'retired', 'moved', 'busy', 'retrying', 'halting'] as const),
] as const;
export type AppendAnswer = (typeof appendAnswers)[number];

/** One call up to here: it takes Redis 2 ms at most. */
const smallNodes = 2_048;
const smallBytes = 262_144;
/** Of a large set: what one call writes. */
const pageBytes = 262_144;

/** @param info read from the run when the set was made for it. Throws LimitError where the set is too large. */
export async function appendSet(
  redis: RedisClient,
  info: RunInfo,
  request: AppendRequest,
): Promise<AppendAnswer> {
  const { set, generator } = request;
  const base = await readBase(redis, info);
  const place = placeOf(base, set.plan);
  const queues = [...new Set([...base.queues, ...queuesOf(request)])];
  const origins = request.reuse?.origins ?? null;
  const source = { ...request, base, place, queues, origins };
  const sets = await readGenerated(redis, info.facts.handle);
  await failpoint('append.before');
  const parts = await finishInTurns(listNodeParts(source));
  const append = { redis, info, request, source };
  const pairs = listPairs(origins, place.first);
  const carried = await carryAll({ redis, run: info.facts.handle, head: headOf(append) }, pairs);
  if (carried !== null) return toAnswer(carried);
  const isSmall = set.plan.nodeCount <= smallNodes && bytesIn(parts) <= smallBytes;
  if (!isSmall) {
    const answer = await writePages(append, parts);
    if (answer !== null) return answer;
  }
  await failpoint('append.before-show');
  const replaced = findReplaced(sets, generator);
  const shown = [...(isSmall ? parts : []), ...listGroupParts(source)];
  const answer = await show(append, { replaced, parts: shown });
  await failpoint('append.after-show');
  if (answer === 'done') await dropCarried(redis, info.facts.handle, pairs);
  return answer;
}

interface Append {
  readonly redis: RedisClient;
  readonly info: RunInfo;
  readonly request: AppendRequest;
  readonly source: SetSource;
}

function queuesOf({ set, routes }: AppendRequest): readonly string[] {
  return routes
    .filter((_, number) => set.plan.groups[number]?.kind === 'task')
    .map(({ queue }) => queue);
}

async function readBase(redis: RedisClient, info: RunInfo): Promise<Base> {
  const { handle, nodeCount, groupCount } = info.facts;
  const { names, queues } = handle;
  const at = nodeCount * 4;
  const [ranges, up, down] = await Promise.all([
    info.ranges(),
    redis.getrangeBuffer(names.parentOffsets, at, at + 3),
    redis.getrangeBuffer(names.childOffsets, at, at + 3),
  ]);
  const inLast = groupCount % groupChunk;
  const numbers = Array.from({ length: inLast }, (_, index) => groupCount - inLast + index);
  return {
    ...{ nodeCount, groupCount, queues },
    lastGroups: await Promise.all(numbers.map((number) => info.group(number))),
    rangeCount: ranges.length / 2,
    parentEdges: toUint32(up)[0] ?? 0,
    childEdges: toUint32(down)[0] ?? 0,
  };
}

function bytesIn(parts: readonly SetPart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Null when all is written. */
async function writePages(append: Append, parts: readonly SetPart[]): Promise<AppendAnswer | null> {
  for (const page of pagesOf(parts)) {
    const answer = await writeGenerated.run(append.redis, append.info.facts.handle.keys, [
      ...headOf(append),
      ...page.flatMap(toArguments),
    ]);
    if (answer !== 'written') return toAnswer(answer);
    await failpoint('append.after-page');
  }
  return null;
}

function* pagesOf(parts: readonly SetPart[]): Generator<readonly SetPart[]> {
  let page: SetPart[] = [];
  let room = pageBytes;
  for (const piece of piecesOf(parts)) {
    if (room < piece.bytes.length && page.length > 0) {
      yield page;
      page = [];
      room = pageBytes;
    }
    page.push(piece);
    room -= piece.bytes.length;
  }
  if (page.length > 0) yield page;
}

function* piecesOf(parts: readonly SetPart[]): Generator<SetPart> {
  for (const part of parts) {
    const { bytes, kind, place } = part;
    if (kind === 'h' || bytes.length <= pageBytes) {
      yield part;
      continue;
    }
    // The last byte first: a string that grows by SETRANGE takes up to twice its size.
    yield { ...part, place: place + bytes.length - 1, bytes: bytes.subarray(-1) };
    for (let at = 0; at < bytes.length; at += pageBytes) {
      yield { ...part, place: place + at, bytes: bytes.subarray(at, at + pageBytes) };
    }
  }
}

function headOf({ request, info }: Append): readonly Argument[] {
  const { delivery, generator, attempt } = request;
  return [delivery.carrier, delivery.token, generator, attempt, info.facts.shape];
}

function toArguments({ key, kind, place, bytes }: SetPart): readonly Argument[] {
  return [key, kind, place, bytes];
}

async function show(
  append: Append,
  rest: {
    readonly replaced: Replaced;
    readonly parts: readonly SetPart[];
  },
): Promise<AppendAnswer> {
  const { redis, info, source } = append;
  const { replaced, parts } = rest;
  const { first } = source.place;
  const { reuse } = append.request;
  const outer = [...source.set.outer].sort((a, b) => parentOf(a.edge) - parentOf(b.edge));
  const start = [source.generator, first + source.set.start] as const;
  const answer = await appendTasks.run(redis, info.facts.handle.keys, [
    ...headOf(append),
    JSON.stringify({
      record: JSON.stringify(recordOf(append)),
      fields: fieldsOf(source),
      padding: source.place.padding,
      nodes: source.place.end,
      barriers: source.place.padding + source.set.plan.barrierCount,
      replaced: replaced.generators,
      retired: replaced.sets.flatMap(({ start, gathers }) => [start, ...gathers]),
      detached: replaced.sets.flatMap(({ gathers }) => gathers),
      ...{ reused: countReused(source), retryToken: reuse?.retryToken ?? '' },
    }),
    packPairs([start, ...outer.map(({ node, edge }) => toChild(edge, first + node))]),
    packPairs(source.set.gathers.map(({ node, end, edge }) => [end, withNode(edge, first + node)])),
    packPairs(replaced.sets.flatMap(spansOf)),
    ...parts.flatMap(toArguments),
  ]);
  return toAnswer(answer);
}

function parentOf(edge: number): number {
  return edge & 0xff_ff_ff;
}

/** The edge from the parent that a packed edge names to its child, with the same condition. */
function toChild(edge: number, child: number): readonly [number, number] {
  return [parentOf(edge), withNode(edge, child)];
}

function packPairs(pairs: readonly (readonly [number, number])[]): Buffer {
  return bytesOf(Uint32Array.from(pairs.flat()));
}

function recordOf({ request, source }: Append): GeneratedRecord {
  const { first, end } = source.place;
  const { set, base } = source;
  return {
    attempt: request.attempt,
    ...{ first, count: set.taskCount, start: first + set.start },
    gathers: set.gathers.map(({ node }) => first + node),
    ends: set.gathers.map(({ end }) => end),
    ...{ outers: set.outerCount, reused: countReused(source) },
    ...{ from: base.nodeCount, to: end },
  };
}

function countReused({ origins }: SetSource): number {
  return origins?.reduce((count, origin) => count + (origin === 0 ? 0 : 1), 0) ?? 0;
}

/** Fields of the run's record that change and that scripts do not keep in memory. */
function fieldsOf({ base, set, queues }: SetSource): Readonly<Record<string, string | number>> {
  const added = queues.slice(base.queues.length).map((queue, index): [string, string] => {
    return [`q${base.queues.length + index}`, queue];
  });
  return {
    groups: base.groupCount + set.plan.groups.length,
    queues: queues.length,
    ...Object.fromEntries(added),
  };
}

function toAnswer(word: string): AppendAnswer {
  const answer = appendAnswers.find((known) => known === word);
  if (answer === undefined) throw new Error(`generated tasks were answered with ${word}`);
  return answer;
}
