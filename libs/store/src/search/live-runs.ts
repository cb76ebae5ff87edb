import { type RunState, runStates } from '@runnel/core';
import { shardKey, shardOf } from '../keys.ts';
import { type RunSummary, readRuns } from '../read-run.ts';
import { runHandle } from '../run-handle.ts';
import { parseTags } from '../run-info.ts';
import type { RedisClient } from '../script.ts';
import { isFiltering, matches, type RunCard, type RunFilter } from './run-filter.ts';
import { type RunPosition, type WalkedRun, type WalkRequest, walkRuns } from './walk-runs.ts';

export interface RunQuery extends RunFilter, Omit<WalkRequest, 'first'> {
  readonly limit: number;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly next: RunPosition | null;
}

/** A card of a run that has ended, good while its place in `ended` is the same. */
interface KeptCard extends RunCard {
  readonly createdAt: number;
  readonly endedScore: number;
}

/** About 100 MB at the worst; with more runs than that some are read again each time. */
const keptCards = 200_000;
const fields = ['state', 'name', 'tags', 'ended', 'halt', 'pausedAt'] as const;

/**
 * Searches the runs in Redis. What they are found by stands in their own records, so there is no index that
 * could be lost or be wrong: a process keeps cards of runs that have ended, of which nothing changes
 * before they are retried, and then their place in `ended` changes. Others are read each time.
 */
export class LiveRuns {
  readonly #redis: RedisClient;
  readonly #namespace: string;
  readonly #cards = new Map<string, KeptCard>();

  constructor(redis: RedisClient, namespace: string) {
    this.#redis = redis;
    this.#namespace = namespace;
  }

  /** A page of runs that match, newest first. */
  async find(query: RunQuery): Promise<RunPage> {
    const runs: RunSummary[] = [];
    const isFiltered = isFiltering(query);
    const first = isFiltered ? query.limit * 4 : query.limit + 1;
    for await (const batch of walkRuns(this.#redis, this.#namespace, { ...query, first })) {
      let left = isFiltered ? await this.#filter(batch, query) : batch;
      while (left.length > 0) {
        const wanted = query.limit - runs.length;
        runs.push(...(await this.#readMatching(left.slice(0, wanted), query)));
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

  /** The tags of all live runs: key, value, number of runs. */
  async countTags(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const counts = new Map<string, Map<string, number>>();
    for await (const batch of walkRuns(this.#redis, this.#namespace, { first: 4_096 })) {
      for (const card of await this.#readCards(batch)) {
        for (const [key, value] of Object.entries(card?.tags ?? {})) {
          const values = counts.get(key) ?? new Map<string, number>();
          counts.set(key, values);
          values.set(value, (values.get(value) ?? 0) + 1);
        }
      }
    }
    return counts;
  }

  #readMatching(batch: readonly WalkedRun[], query: RunQuery): Promise<readonly RunSummary[]> {
    return this.readMatching(
      batch.map(({ id }) => id),
      query,
    );
  }

  async #filter(batch: readonly WalkedRun[], filter: RunFilter): Promise<readonly WalkedRun[]> {
    const cards = await this.#readCards(batch);
    return batch.filter((_, index) => {
      const card = cards[index] ?? null;
      return card !== null && matches(card, filter);
    });
  }

  /** Null where a run is gone. */
  async #readCards(batch: readonly WalkedRun[]): Promise<readonly (RunCard | null)[]> {
    const ended = await this.#readEnded(batch);
    const cards: (RunCard | null)[] = Array(batch.length).fill(null);
    const reads: Promise<void>[] = [];
    batch.forEach(({ id, createdAt }, index) => {
      const endedScore = ended.get(id);
      const kept = this.#cards.get(id);
      if (kept?.endedScore === endedScore && kept?.createdAt === createdAt) cards[index] = kept;
      else reads.push(this.#readCard(id, createdAt, endedScore).then((card) => put(card, index)));
    });
    const put = (card: RunCard | null, index: number): void => {
      cards[index] = card;
    };
    await Promise.all(reads);
    return cards;
  }

  async #readCard(
    id: string,
    createdAt: number,
    endedScore: number | undefined,
  ): Promise<RunCard | null> {
    const { names } = runHandle(this.#namespace, id);
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
    if (endedScore !== undefined && card.endedAt !== null) {
      this.#keep(id, { ...card, createdAt, endedScore });
    }
    return card;
  }

  #keep(id: string, card: KeptCard): void {
    this.#cards.delete(id);
    this.#cards.set(id, card);
    if (this.#cards.size <= keptCards) return;
    const [oldest] = this.#cards.keys();
    if (oldest !== undefined) this.#cards.delete(oldest);
  }

  /** Of these runs those that have ended, with their place: one command a shard. */
  async #readEnded(batch: readonly WalkedRun[]): Promise<ReadonlyMap<string, number>> {
    const ended = new Map<string, number>();
    const byShard = Map.groupBy(batch, ({ shard }) => shard);
    await Promise.all(
      [...byShard].map(async ([shard, runs]) => {
        const key = shardKey(this.#namespace, shard, 'ended');
        const scores = await this.#redis.zmscore(key, ...runs.map(({ id }) => id));
        runs.forEach(({ id }, index) => {
          const score = scores[index];
          if (typeof score === 'string') ended.set(id, Number(score));
        });
      }),
    );
    return ended;
  }
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
