import { type RunState, runStates } from '@runnel/core';
import { shardKey, shardOf } from '../keys.ts';
import { type RunSummary, readRuns } from '../read-run.ts';
import { parseTags } from '../run-facts.ts';
import { runHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';
import { type KnownRun, KnownRuns } from './known-runs.ts';
import { isFiltering, matches, type RunCard, type RunFilter } from './run-filter.ts';
import { newestFirst, type RunPosition, type WalkRequest, walkRuns } from './walk-runs.ts';

export interface RunQuery extends RunFilter, Omit<WalkRequest, 'first'> {
  readonly limit: number;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly next: RunPosition | null;
}

/** Runs that one step of a search looks at. */
const runsPerStep = 2_048;
const fields = ['state', 'name', 'tags', 'ended', 'halt', 'pausedAt'] as const;

/**
 * Searches the runs in Redis. What they are found by stands in their own records, so there is no index that
 * could be lost or be wrong: a process keeps cards of runs that have ended, of which nothing changes
 * before they are retried, and then their place in `ended` changes. Others are read each time.
 */
export class LiveRuns {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #known: KnownRuns;

  constructor(redis: RedisClient, namespace: string) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#known = new KnownRuns(redis, namespace);
  }

  /** A page of runs that match, newest first. */
  async find(query: RunQuery): Promise<RunPage> {
    const runs: RunSummary[] = [];
    for await (const batch of this.#candidates(query)) {
      let left = batch;
      while (left.length > 0) {
        const wanted = query.limit - runs.length;
        const ids = left.slice(0, wanted).map(({ id }) => id);
        runs.push(...(await this.readMatching(ids, query)));
        left = left.slice(wanted);
        if (runs.length === query.limit) return { runs, next: positionOf(runs.at(-1)) };
      }
    }
    return { runs, next: null };
  }

  /** The summaries of those that are live and match. */
  async readMatching(ids: readonly string[], filter: RunFilter): Promise<readonly RunSummary[]> {
    const runs = await readRuns(this.#redis, this.#namespace, ids);
    return runs.filter((run) => !run.isArchived && matches(cardOf(run), filter));
  }

  /** Which of these are live: here, and not only to be read. */
  async findLive(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const live = new Set<string>();
    await Promise.all(
      [...Map.groupBy(ids, shardOf)].map(async ([shard, own]) => {
        const scores = await this.#redis.zmscore(shardKey(this.#namespace, shard, 'runs'), ...own);
        own.forEach((id, index) => {
          if (typeof scores[index] === 'string') live.add(id);
        });
      }),
    );
    return live;
  }

  /** The tags of all live runs: key, value, number of runs. Those of too many are not counted. */
  async countTags(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const counts = new Map<string, Map<string, number>>();
    for (const card of await this.#readCards((await this.#known.read()) ?? [])) {
      for (const [key, value] of Object.entries(card?.tags ?? {})) {
        const values = counts.get(key) ?? new Map<string, number>();
        counts.set(key, values);
        values.set(value, (values.get(value) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Runs that may match, in order. */
  async *#candidates(query: RunQuery): AsyncGenerator<readonly RunPosition[], void, undefined> {
    const isFiltered = isFiltering(query);
    const known = isFiltered ? await this.#known.read() : null;
    const first = isFiltered ? runsPerStep : query.limit + 1;
    if (known === null) yield* walkRuns(this.#redis, this.#namespace, { ...query, first });
    else yield* this.#filter(known, query);
  }

  async *#filter(
    known: readonly KnownRun[],
    query: RunQuery,
  ): AsyncGenerator<readonly RunPosition[], void, undefined> {
    const inRange = known.filter((run) => isInRange(run, query));
    for (let at = 0; at < inRange.length; at += runsPerStep) {
      const step = inRange.slice(at, at + runsPerStep);
      const cards = await this.#readCards(step);
      yield step.filter((_, index) => {
        const card = cards[index] ?? null;
        return card !== null && matches(card, query);
      });
    }
  }

  /** Null where a run is gone. */
  async #readCards(runs: readonly KnownRun[]): Promise<readonly (RunCard | null)[]> {
    const cards = runs.map(({ card }) => card);
    const reads: Promise<void>[] = [];
    runs.forEach((run, index) => {
      if (run.card !== null) return;
      const read = this.#readCard(run).then((card) => {
        cards[index] = card;
      });
      reads.push(read);
    });
    await Promise.all(reads);
    return cards;
  }

  async #readCard(run: KnownRun): Promise<RunCard | null> {
    const { names } = runHandle(this.#namespace, run.id);
    const [raw, name, tags, end, halt, pausedAt] = await this.#redis.hmget(names.meta, ...fields);
    const state = runStates.find((known) => known === raw);
    if (state === undefined) return null;
    const card: RunCard = {
      name: name ?? null,
      tags: parseTags(tags ?? undefined),
      state: isPaused(state, halt, pausedAt) ? 'paused' : state,
      endedAt: typeof end === 'string' ? Number(end) : null,
    };
    // Ended by both: what was read is what its place in `ended` stands for.
    if (run.endedScore !== null && card.endedAt !== null) run.card = card;
    return card;
  }
}

function isInRange(run: RunPosition, { since, until, after }: RunQuery): boolean {
  if (since !== undefined && run.createdAt < since) return false;
  if (until !== undefined && run.createdAt > until) return false;
  return after === undefined || newestFirst(after, run) < 0;
}

function isPaused(
  state: RunState,
  halt: string | null | undefined,
  pausedAt: string | null | undefined,
): boolean {
  return state === 'running' && typeof halt !== 'string' && typeof pausedAt === 'string';
}

export function cardOf({ facts, state, endedAt }: RunSummary): RunCard {
  return { name: facts.name, tags: facts.tags, state, endedAt };
}

function positionOf(run: RunSummary | undefined): RunPosition | null {
  return run === undefined ? null : { createdAt: run.facts.createdAt, id: run.facts.handle.id };
}
