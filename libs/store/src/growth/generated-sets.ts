import { z } from 'zod';
import { toUint32 } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

const record = z.object({
  attempt: z.number(),
  /** Its first task, and how many there are; barriers may stand between them. */
  first: z.number(),
  count: z.number(),
  /** The barrier that waits for the generator, and that all of the set waits for. */
  start: z.number(),
  /** Barriers that wait for all of the set, one for each end barrier of the generator. */
  gathers: z.array(z.number()),
  /** The end barriers of the generator, in the same order. */
  ends: z.array(z.number()),
  /** How many pairs of barriers stand behind the start, for parents in the run. */
  outers: z.number(),
  /** Tasks whose results were those of the set before. */
  reused: z.number(),
  /** All of its nodes: from ≤ n < to. */
  from: z.number(),
  to: z.number(),
  /** Barriers that edits put between its tasks and the children of generators: from ≤ n < to of each. */
  added: z.array(z.tuple([z.number(), z.number()])).exactOptional(),
});

/** What a generator's last attempt that ended well has generated. */
export type GeneratedRecord = z.infer<typeof record>;

/** Of every generator that has generated, by its number. */
export async function readGenerated(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<ReadonlyMap<number, GeneratedRecord>> {
  const raw = await redis.hgetall(run.names.generated);
  return new Map(
    Object.entries(raw).map(([generator, json]) => [Number(generator), parseRecord(json)]),
  );
}

/** Of one generator; null where it has generated nothing so far. */
export async function readGeneratedBy(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
  generator: number,
): Promise<GeneratedRecord | null> {
  const json = await redis.hget(run.names.generated, String(generator));
  return json === null ? null : parseRecord(json);
}

function parseRecord(json: string): GeneratedRecord {
  return record.parse(JSON.parse(json));
}

/** All spans of nodes that a set has: its own, and what edits added to it. */
export function spansOf({ from, to, added = [] }: GeneratedRecord): readonly NodeSpan[] {
  return [[from, to], ...added];
}

/** Nodes from ≤ n < to. */
export type NodeSpan = readonly [from: number, to: number];

/** What a set replaces: that of an earlier attempt, and what generators among its tasks have generated. */
export interface Replaced {
  readonly generators: readonly number[];
  readonly sets: readonly GeneratedRecord[];
}

export function findReplaced(
  all: ReadonlyMap<number, GeneratedRecord>,
  generator: number,
): Replaced {
  const own = all.get(generator);
  if (own === undefined) return { generators: [], sets: [] };
  const generators: number[] = [];
  const sets = [own];
  for (const set of sets) {
    for (const [number, inner] of all) {
      if (number < set.from || number >= set.to) continue;
      generators.push(number);
      sets.push(inner);
    }
  }
  return { generators, sets };
}

/** The set that a node belongs to; undefined for those that the run was submitted with. */
export function findSetOf(
  all: ReadonlyMap<number, GeneratedRecord>,
  node: number,
): GeneratedRecord | undefined {
  for (const set of all.values()) if (node >= set.from && node < set.to) return set;
  return undefined;
}

/**
 * Sets that were replaced and are not retired as a whole yet: what runs of them is left to end first. To be
 * read before states: of a range that is gone from here every task is retired there.
 */
export async function readReplaced(
  redis: RedisClient,
  run: Pick<RunHandle, 'names'>,
): Promise<readonly NodeSpan[]> {
  const entries = await redis.lrangeBuffer(run.names.retiring, 0, -1);
  return entries.map((entry) => {
    const [from = 0, to = 0] = toUint32(entry);
    return [from, to];
  });
}

export function isInSpans(spans: readonly NodeSpan[], node: number): boolean {
  return spans.some(([from, to]) => node >= from && node < to);
}
