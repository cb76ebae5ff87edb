import type { Archive } from '@runnel/archive';
import { type Clock, isFinalRunState, keepNewest, NotFoundError } from '@runnel/core';
import {
  type ClassStatistics,
  decodeStatistics,
  readClassStatistics,
  sumStatistics,
} from '@runnel/planning';
import type {
  LiveRuns,
  RedisClient,
  RunInfoCache,
  RunPosition,
  RunQuery,
  RunSummary,
} from '@runnel/store';
import { searchRuns } from './archive/search-runs.ts';

/** One page of a search. */
const runsPerPage = 200;
/** What one read of the archive brings. */
const runsPerRead = 100;
/** Runs that are still in Redis are measured there: 13 bytes a task are read. The first is, however large. */
const mostTasksInRedis = 5_000_000;
/** What is known of a name is told for so long, of so many runs and names. */
const freshMs = 60_000;
const runsOfName = 20;
const tasksOfName = 500_000;
const mostNames = 256;
/** Names may be as many as runs: no more are asked for in the background. */
const askEveryMs = 200;

export interface HistoryOptions {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly infos: RunInfoCache;
  readonly live: LiveRuns;
  /** Null: there are only the runs in Redis. */
  readonly archive: Archive | null;
  readonly clock: Clock;
  onError(error: Error): void;
}

/** The newest runs that match and have ended. */
export type HistoryQuery = Omit<RunQuery, 'limit' | 'after'> & {
  readonly runs: number;
  /** Of runs in Redis; those beyond are left out. */
  readonly mostTasks?: number;
};

/** What was measured of several runs. */
export interface History {
  /** How many say something. */
  readonly runs: number;
  /** When the oldest of them was created; null where there is none. */
  readonly since: number | null;
  readonly classes: readonly ClassStatistics[];
}

interface Known {
  readonly until: number;
  readonly classes: readonly ClassStatistics[];
}

/** What runs that have ended took, in Redis and in the archive. */
export class RunHistory {
  readonly #options: HistoryOptions;
  readonly #byName = new Map<string, Known>();
  #nextAskAt = 0;
  readonly #asking = new Map<string, Promise<readonly ClassStatistics[]>>();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  async read({ mostTasks = mostTasksInRedis, ...query }: HistoryQuery): Promise<History> {
    const found = await this.#find(query);
    const measured = await this.#measure(found, mostTasks);
    const counted = found.filter(({ facts }) => measured.has(facts.handle.id));
    const times = counted.map(({ facts }) => facts.createdAt);
    return {
      runs: counted.length,
      since: times.length === 0 ? null : Math.min(...times),
      classes: sumStatistics(measured.values()),
    };
  }

  /** What the last runs of a name took, as it was known a minute ago at most. */
  async ofName(name: string | null): Promise<readonly ClassStatistics[]> {
    if (name === null) return [];
    const known = this.#byName.get(name);
    return known !== undefined && known.until > this.#options.clock.now()
      ? known.classes
      : await this.#ask(name);
  }

  /** The same without waiting: null where it is not known yet; it will be in a moment. */
  knownOfName(name: string | null): readonly ClassStatistics[] | null {
    if (name === null) return null;
    const known = this.#byName.get(name);
    const now = this.#options.clock.now();
    if ((known === undefined || known.until <= now) && now >= this.#nextAskAt) {
      this.#nextAskAt = now + askEveryMs;
      this.#ask(name).catch((error: unknown) => {
        if (error instanceof Error) this.#options.onError(error);
      });
    }
    return known?.classes ?? null;
  }

  /** Once for all who ask at the same time. */
  async #ask(name: string): Promise<readonly ClassStatistics[]> {
    const asking = this.#asking.get(name) ?? this.#readName(name);
    this.#asking.set(name, asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(name);
    }
  }

  async #readName(name: string): Promise<readonly ClassStatistics[]> {
    const { classes } = await this.read({ name, runs: runsOfName, mostTasks: tasksOfName });
    this.#byName.delete(name);
    this.#byName.set(name, { until: this.#options.clock.now() + freshMs, classes });
    keepNewest(this.#byName, mostNames);
    return classes;
  }

  async #find({
    runs: most,
    ...filter
  }: Omit<HistoryQuery, 'mostTasks'>): Promise<readonly RunSummary[]> {
    const found: RunSummary[] = [];
    let after: RunPosition | undefined;
    do {
      const page = await searchRuns(this.#options, { ...filter, after, limit: runsPerPage });
      found.push(...page.runs.filter(({ state }) => isFinalRunState(state)));
      after = page.next ?? undefined;
    } while (after !== undefined && found.length < most);
    return found.slice(0, most);
  }

  /** By run; those of which nothing is known are left out. */
  async #measure(
    runs: readonly RunSummary[],
    mostTasks: number,
  ): Promise<ReadonlyMap<string, readonly ClassStatistics[]>> {
    const measured = new Map<string, readonly ClassStatistics[]>();
    const archived: string[] = [];
    let tasks = 0;
    for (const { facts, isArchived, taskCount } of runs) {
      const { id } = facts.handle;
      const isTooMuch = tasks > 0 && tasks + taskCount > mostTasks;
      const own = isArchived || isTooMuch ? null : await this.#live(id);
      if (own === null) archived.push(id);
      else measured.set(id, own);
      tasks += own === null ? 0 : taskCount;
    }
    for (let from = 0; from < archived.length; from += runsPerRead) {
      const ids = archived.slice(from, from + runsPerRead);
      for (const { id, statistics } of (await this.#options.archive?.readStatistics(ids)) ?? []) {
        measured.set(id, decodeStatistics(statistics));
      }
    }
    return measured;
  }

  /** Null where it has gone from Redis meanwhile. */
  async #live(id: string): Promise<readonly ClassStatistics[] | null> {
    const { redis, infos } = this.#options;
    try {
      return await readClassStatistics(redis, await infos.read(id));
    } catch (error: unknown) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}
