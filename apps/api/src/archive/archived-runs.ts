import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive, ArchivedCopy } from '@runnel/archive';
import { type Clock, ConflictError, NotFoundError, noSuchRun } from '@runnel/core';
import { copyStaysMs, sizeOfCopy, takeBack } from '@runnel/engine';
import {
  keepRun,
  type RedisClient,
  type RunSummary,
  readRun,
  readRuns,
  removeRun,
  summaryOfRecord,
  touchCopy,
} from '@runnel/store';
import { RequestError } from '../request-error.ts';
import type { RoomGuard } from '../room-guard.ts';

/** Another one brings it: so long is waited for, and looked so often. */
const waitMs = 5_000;
const lookMs = 50;
const mostTries = 2;
/** A run that is brought back to be changed is not moved again before that: a spec of an edit may be large. */
const changedWithinMs = 120_000;
/** A copy that is read all the time is told so no more often. */
const touchedEveryMs = 60_000;

export interface ArchivedRunsOptions {
  /** Null: there is none, and runs are only in Redis. */
  readonly archive: Archive | null;
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly room: RoomGuard;
  readonly clock: Clock;
}

/**
 * Runs wherever they are. Of one in the archive the summary comes from there; what needs its tasks
 * brings it back into Redis for a while, so that everything else reads it as any other run.
 */
export class ArchivedRuns {
  readonly #options: ArchivedRunsOptions;
  /** Runs that this process is bringing. */
  readonly #bringing = new Map<string, Promise<void>>();
  readonly #touched = new Map<string, number>();

  constructor(options: ArchivedRunsOptions) {
    this.#options = options;
  }

  /** Null where the archive has no such run. */
  async find(id: string): Promise<ArchivedCopy | null> {
    return (await this.#options.archive?.read(id)) ?? null;
  }

  /** A run as it stands, from Redis or from the archive. Throws NotFoundError. */
  async read(id: string): Promise<RunSummary> {
    const [found] = await this.readMany([id]);
    return found ?? (await readRun(this.#options.redis, this.#options.namespace, id));
  }

  /** Those of these runs that are anywhere, in their order. */
  async readMany(ids: readonly string[]): Promise<readonly RunSummary[]> {
    const { redis, namespace } = this.#options;
    const live = await readRuns(redis, namespace, ids);
    const here = live.filter((run) => !isOnItsWay(run));
    const found = new Map(here.map((run) => [run.facts.handle.id, run]));
    const away = ids.filter((id) => !found.has(id));
    for (const copy of await Promise.all(away.map((id) => this.find(id)))) {
      const run = copy === null ? null : summaryOfRecord(namespace, copy.run.id, copy.run.record);
      if (run !== null) found.set(run.facts.handle.id, run);
    }
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  /** The same as read, and in Redis with all its keys when this resolves. Throws NotFoundError. */
  async readHere(id: string): Promise<RunSummary> {
    const { redis, namespace } = this.#options;
    const [live] = await readRuns(redis, namespace, [id]);
    if (live !== undefined && !isOnItsWay(live)) {
      if (live.isArchived) await this.stay(id);
      return live;
    }
    // A second time where what another one had begun was removed: it had died.
    for (let tries = 0; tries < mostTries; tries++) {
      await this.#bringOnce(id);
      const [run] = await readRuns(redis, namespace, [id]);
      if (run !== undefined) return run;
    }
    throw noSuchRun(id);
  }

  /** Joins in where this process is bringing it already. */
  async #bringOnce(id: string): Promise<void> {
    const bringing = this.#bringing.get(id) ?? this.#bring(id);
    this.#bringing.set(id, bringing);
    try {
      await bringing;
    } finally {
      this.#bringing.delete(id);
    }
  }

  /** Has what was brought back stay while it is read: to be called now and then. Nothing for any other run. */
  async stay(id: string): Promise<void> {
    const { redis, namespace, clock } = this.#options;
    const now = clock.now();
    if (now - (this.#touched.get(id) ?? 0) < touchedEveryMs) return;
    if (this.#touched.size > 1_000) this.#touched.clear();
    this.#touched.set(id, now);
    await touchCopy(redis, namespace, id, now + copyStaysMs);
  }

  /** Makes a run that was brought back one as any other, so that it can change. */
  async keep(id: string): Promise<void> {
    const { redis, namespace, clock } = this.#options;
    await keepRun(redis, namespace, id, clock.now() + changedWithinMs);
  }

  /** Takes a run out of the archive, and what was brought back of it; false where it is not in there. */
  async remove(id: string): Promise<boolean> {
    const { archive, redis, namespace } = this.#options;
    // First: what is left of it in Redis goes by itself.
    const isRemoved = (await archive?.remove(id)) ?? false;
    const [live] = await readRuns(redis, namespace, [id]);
    if (live?.isArchived === true) {
      const until = Number.MAX_SAFE_INTEGER;
      for (const set of ['submitting', 'copies'] as const) {
        await removeRun(redis, namespace, id, { set, until });
      }
    }
    return isRemoved;
  }

  /** Throws NotFoundError where the archive has no such run, or RequestError where Redis has no room. */
  async #bring(id: string): Promise<void> {
    const { archive, redis, namespace, clock } = this.#options;
    const found = await this.find(id);
    if (archive === null || found === null) return;
    await this.#requireRoom(id, found);
    const context = { redis, namespace, archive, now: () => clock.now() };
    if (await takeBack(context, found)) return;
    await this.#waitUntilHere(id);
  }

  async #requireRoom(id: string, found: ArchivedCopy): Promise<void> {
    try {
      await this.#options.room.require(sizeOfCopy(found));
    } catch (error: unknown) {
      if (!(error instanceof RequestError)) throw error;
      const { status, code, headers, message } = error;
      const text = `run ${id} is in the archive and has to be brought into Redis to be read: ${message}`;
      throw new RequestError(status, text, { code, headers, cause: error });
    }
  }

  /** Resolves also where it is gone: the next read says so. */
  async #waitUntilHere(id: string): Promise<void> {
    const { redis, namespace } = this.#options;
    const until = performance.now() + waitMs;
    while (performance.now() < until) {
      const [live] = await readRuns(redis, namespace, [id]);
      if (live === undefined || !isOnItsWay(live)) return;
      await sleep(lookMs);
    }
    throw new ConflictError(
      `run ${id} is being brought back from the archive: ask again in a few seconds`,
      'IN_FLIGHT',
    );
  }
}

/** A copy whose pages are being written. */
function isOnItsWay({ isArchived, state }: RunSummary): boolean {
  return isArchived && state === 'submitting';
}

/**
 * Does something with a run in Redis; `orElse` with the summary of one that is only in the archive. Throws
 * NotFoundError where there is no such run.
 */
export async function inRedisOrElse<T>(
  runs: ArchivedRuns,
  id: string,
  work: () => Promise<T>,
  orElse: (archived: RunSummary) => T,
): Promise<T> {
  try {
    return await work();
  } catch (error: unknown) {
    if (!(error instanceof NotFoundError)) throw error;
    const run = await runs.read(id);
    if (!run.isArchived) throw error;
    return orElse(run);
  }
}
