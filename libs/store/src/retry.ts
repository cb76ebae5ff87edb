import { finishInTurns } from '@runnel/core';
import { readDeliveries } from './deliveries.ts';
import { readStrings } from './doctor/read-structure.ts';
import { editorGoneMs } from './edit/edit-protocol.ts';
import { type GeneratedRecord, readGenerated } from './growth/generated-sets.ts';
import { type LaterEdges, readLaterChildren } from './growth/later-edges.ts';
import { bytesOf, decodeDelivery, finalStateOf, stateCode, toUint32 } from './packed.ts';
import { closeWithMarks, retryMark } from './retry-closure.ts';
import type { OpenRunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { beginRetry, pageRetry } from './scripts.ts';

/**
 * Retrying brings tasks back that have ended, with all that hangs on them. The set is computed by who
 * asks, from what was read; `begin-retry` keeps it and sets the run going; then pages go through it in
 * three phases, and whoever gives the run its turns goes on with them after a crash:
 *
 * 1. what has ended is set back, what waits is held, what was released before is marked as that. Meanwhile
 *    no end is visited, so that nothing is decided by a parent that is set back.
 * 2. parents are counted anew. Nothing of the set starts before all are counted: its end would be
 *    visited to a child that is not.
 * 3. held tasks are free again; those whose parents have decided become ready or end.
 *
 * Of a set that a generator has generated, and that it may replace when it runs again, what has ended stays: it
 * is marked so. What would run again there besides gives up its success, so that it is not reused.
 *
 * What was read may be old by then: a task that has ended since is set back, one that was released since is
 * left, and both are right at any moment, since the set holds every descendant.
 */
export interface RetrySource {
  readonly nodeCount: number;
  /** The state byte of each node. */
  readonly states: Uint8Array;
  /** Big endian. */
  readonly words: Buffer;
  readonly childOffsets: Uint32Array;
  readonly children: Uint32Array;
  /** Children that were generated after the run was sealed. */
  readonly later: LaterEdges;
  /** Open in deliveries. */
  readonly open: ReadonlySet<number>;
  readonly sets: ReadonlyMap<number, GeneratedRecord>;
}

/** Reads of a run what tells which tasks to bring back, in pages. */
export async function readRetrySource(
  redis: RedisClient,
  run: OpenRunHandle,
  nodeCount: number,
): Promise<RetrySource> {
  const { names } = run;
  const states = await readStrings(redis, names.state, nodeCount);
  const words = await readStrings(redis, names.waiting, nodeCount * 4);
  const childOffsets = toUint32(await readStrings(redis, names.childOffsets, nodeCount * 4 + 4));
  const edges = childOffsets[nodeCount] ?? 0;
  const children = toUint32(await readStrings(redis, names.children, edges * 4));
  const open = new Set<number>();
  for (const { ids, open: bits } of await readDeliveries(redis, run)) {
    for (const [place, id] of ids.entries()) if (bits[place]) open.add(id);
  }
  const later = await readLaterChildren(redis, run);
  const sets = await readGenerated(redis, run);
  return { nodeCount, states, words, childOffsets, children, later, open, sets };
}

/** The selected nodes with all that hangs on them, ascending, and what else is said of them: see retryMark. */
export function closeRetry(source: RetrySource, selected: Iterable<number>): Promise<Uint32Array> {
  const { sets: spans, nodeCount, states } = source;
  const isReset = (node: number): boolean => fateOf(source, node) === 'reset';
  const hasEnded = (node: number): boolean => finalStateOf(states[node] ?? 0) !== undefined;
  return finishInTurns(
    closeWithMarks(selected, nodeCount, { ...source, spans, isReset, hasEnded }),
  );
}

/**
 * What a retry would do with a node: bring it back, leave it running or as it has ended, or just count its
 * parents anew.
 */
export function fateOf(source: RetrySource, marked: number): 'reset' | 'left' | 'ended' | 'waits' {
  const node = marked & 0xff_ff_ff;
  const code = source.states[node] ?? 0;
  const hasEnded = code >= stateCode.succeeded && code <= stateCode.cancelled;
  if (hasEnded && marked >>> 24 > retryMark.alone) return 'ended';
  if (hasEnded || (code === stateCode.reused && marked >>> 24 === retryMark.none)) return 'reset';
  if (code === stateCode.reused) return 'waits';
  if (code !== stateCode.none || source.open.has(node)) return 'left';
  const word = source.words.readUInt32BE(node * 4);
  return word >>> 27 !== 0 || (word & 0xff_ff_ff) === 0 ? 'left' : 'waits';
}

/**
 * Begins to bring tasks back. The same token again gets the same answer. `retrying`: another retry is
 * under way; `moved`: tasks have joined the run since it was read; `halting`: the run is being ended early; `created`, `submitting`; null: it is gone.
 */
export function startRetry(
  redis: RedisClient,
  run: OpenRunHandle,
  request: {
    readonly token: string;
    readonly createdAt: number;
    readonly now: number;
    readonly ids: Uint32Array;
    readonly by?: string | null;
    /** Of the run that was read; 0 for one that never grew. */
    readonly shape?: number;
  },
): Promise<string | null> {
  const { token, createdAt, now, ids, by, shape = 0 } = request;
  const args = [token, createdAt, now, bytesOf(ids), by ?? '', shape, editorGoneMs];
  return beginRetry.run(redis, run.keys, args);
}

/** What one page goes through: a few ms of Redis. */
const tasksPerPage = 512;
const edgesPerPage = 4_096;

/** One page; phase 0: nothing is left to do. Null: no such run. */
export function retryPage(
  redis: RedisClient,
  run: OpenRunHandle,
  now: number,
  size: { readonly tasks: number; readonly edges: number } = {
    tasks: tasksPerPage,
    edges: edgesPerPage,
  },
): Promise<{ readonly state: string; readonly phase: number } | null> {
  return pageRetry.run(redis, run.keys, [now, size.tasks, size.edges]);
}

/** Attempts of a delivery's tasks, by place, that do not count against their retries. */
export async function readBases(
  redis: RedisClient,
  run: OpenRunHandle,
  carrier: number,
): Promise<readonly number[]> {
  // Most runs were never retried, and tell so at once.
  if ((await redis.exists(run.names.bases)) === 0) return [];
  const raw = await redis.hgetBuffer(run.names.deliveries, String(carrier));
  if (raw === null) return [];
  const { ids } = decodeDelivery(carrier, raw);
  const bases = await redis.hmget(run.names.bases, ...ids.map(String));
  return bases.map((base) => Number(base ?? 0));
}
