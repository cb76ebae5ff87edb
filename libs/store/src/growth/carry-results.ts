import { failpoint } from '@runnel/core';
import { bytesOf } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { Argument, RedisClient } from '../script.ts';
import { carryResults, dropResults, wipeResults } from './scripts.ts';

/** Tasks of a new set that take over results of the set that it replaces. */
export interface Reuse {
  /** By node of the new set: the number whose result it takes over, and one more; 0 where it runs. */
  readonly origins: Uint32Array;
  /** Of the last retry when that was looked at: after another one it is to be looked at again. */
  readonly retryToken: string;
}

/**
 * Results are copied to the numbers that the tasks get before these are a part of the run, so the call that
 * shows the set shows it with them. Who dies in between leaves copies behind the run's last node; the run's
 * record says how far (`spill`), and the next set has them wiped before anything of its own gets there.
 */
export interface Carrying {
  readonly redis: RedisClient;
  readonly run: RunHandle;
  /** Carrier, token, generator, attempt and shape. */
  readonly head: readonly Argument[];
}

/** Numbers that go through one call: 1 to 2 ms of Redis. */
const tasksPerPage = 512;
/** Logs and outputs that one call copies. */
const bytesPerPage = 1_048_576;

/** Pairs of a number and the one that its result goes to, ascending by the first. */
export function listPairs(
  origins: Uint32Array | null,
  first: number,
): readonly (readonly [from: number, to: number])[] {
  const pairs: [number, number][] = [];
  for (const [node, origin] of (origins ?? []).entries()) {
    if (origin !== 0) pairs.push([origin - 1, first + node]);
  }
  return pairs.sort(([a], [b]) => a - b);
}

type Pairs = ReturnType<typeof listPairs>;

/** Wipes what another set has left, then copies. Null when all is done; else why not. */
export async function carryAll(carrying: Carrying, pairs: Pairs): Promise<string | null> {
  const { redis, run, head } = carrying;
  const refused = await wipe(carrying);
  if (refused !== null) return refused;
  for (let at = 0; at < pairs.length; ) {
    const page = bytesOf(Uint32Array.from(pairs.slice(at, at + tasksPerPage).flat()));
    const answer = await carryResults.run(redis, run.keys, [...head, page, bytesPerPage]);
    if (!/^\d+$/.test(answer)) return answer;
    at += Number(answer);
    await failpoint('append.after-carry');
  }
  return null;
}

async function wipe({ redis, run, head }: Carrying): Promise<string | null> {
  if ((await redis.hexists(run.names.meta, 'spill')) === 0) return null;
  for (;;) {
    const answer = await wipeResults.run(redis, run.keys, [...head, tasksPerPage]);
    await failpoint('append.after-wipe');
    if (answer === 'wiped') return null;
    if (answer !== 'paging') return answer;
  }
}

/** Forgets what was copied in the place that it came from. */
export async function dropCarried(redis: RedisClient, run: RunHandle, pairs: Pairs): Promise<void> {
  for (let at = 0; at < pairs.length; at += tasksPerPage) {
    const page = pairs.slice(at, at + tasksPerPage).map(([from]) => from);
    await dropResults.run(redis, run.keys, [bytesOf(Uint32Array.from(page))]);
  }
}
