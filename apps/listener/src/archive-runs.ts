import { type Archive, ArchiveUnavailableError } from '@runnel/archive';
import { moveRun, removeDeleted } from '@runnel/engine';
import type { Logger } from '@runnel/service';
import { forgetDeleted, type RedisClient, readDeleted, readMovable } from '@runnel/store';
import type { ShardLeases } from './shards.ts';

/** The last of a log may come a moment after the end of its run. */
const lastLinesMs = 5_000;
/** Runs that are moved side by side: each waits for Redis and for the archive in turns. */
const movedAtOnce = 4;
/** A run that could not be moved is left for so long, then for twice as long each time, up to the second. */
const putOffMs = 60_000;
const longestPutOffMs = 3_600_000;
/** So many failures end a round: it is hardly the runs then. */
const mostFailures = 8;
/** Runs that are put off at a time; beyond, all are tried again. */
const mostPutOff = 10_000;
/** A copy of which no part came for so long is nobody's any more. */
const abandonedCopyMs = 3_600_000;
/** Runs that one step of retention removes. */
const prunedAtOnce = 100;
/** Who owns this shard looks after what is there once. */
export const keeperShard = 0;

export interface ArchiveRunsOptions {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly archive: Archive;
  readonly leases: Pick<ShardLeases, 'owned'>;
  /** How long a run stays in Redis after its end. */
  readonly keepMs: number;
  /** How long it stays in the archive; null: for ever. */
  readonly archiveKeepMs: number | null;
  /** Runs in the archive; null: as many as come. */
  readonly archiveMost: number | null;
  readonly logger: Logger;
  now(): number;
}

/** Moves runs that ended some time ago to the archive, and removes the oldest from there. */
export class ArchiveRuns {
  readonly #options: ArchiveRunsOptions;
  #isStopping = false;
  #working: Promise<void> = Promise.resolve();
  /** Runs that could not be moved: when they are tried again, and how long that was put off. */
  readonly #putOff = new Map<string, { readonly until: number; readonly ms: number }>();

  constructor(options: ArchiveRunsOptions) {
    this.#options = options;
  }

  /** Moves what is due in the shards of this listener. What fails is tried again with the next call. */
  async moveEnded(): Promise<void> {
    this.#working = this.#moveAll();
    await this.#working;
  }

  /** Runs that were deleted while somebody who died since moved them must not be in the archive. */
  async dropDeleted(): Promise<void> {
    const { redis, namespace, archive, leases, now } = this.#options;
    for (const shard of leases.owned()) {
      const deleted = await readDeleted(redis, namespace, shard, now() - abandonedCopyMs);
      for (const run of deleted) await removeDeleted(archive, run);
      await forgetDeleted(redis, namespace, shard, deleted);
    }
  }

  /** Removes what is past retention, and what broken moves left. */
  async prune(): Promise<void> {
    const { archive, leases, archiveKeepMs, archiveMost, logger, now } = this.#options;
    if (!leases.owned().includes(keeperShard)) return;
    await archive.dropUnsealed(now() - abandonedCopyMs);
    const endedBefore = archiveKeepMs === null ? null : now() - archiveKeepMs;
    const request = { endedBefore, mostRuns: archiveMost, limit: prunedAtOnce };
    let removed = 0;
    while (!this.#isStopping) {
      const count = await archive.prune(request);
      removed += count;
      if (count < prunedAtOnce) break;
    }
    if (removed > 0) logger.info({ removed }, 'removed from the archive');
  }

  /** Resolves when the runs that are being moved are. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    // Its error was told where it was started.
    await this.#working.catch(() => undefined);
  }

  async #moveAll(): Promise<void> {
    const { redis, namespace, leases, keepMs, now } = this.#options;
    const until = now() - Math.max(keepMs, lastLinesMs);
    const round: Round = { until, failures: 0 };
    for (const shard of leases.owned()) {
      if (this.#isOver(round)) return;
      const movable = await readMovable(redis, namespace, shard, until);
      const ids = movable.filter((id) => (this.#putOff.get(id)?.until ?? 0) <= now());
      const movers = Array.from({ length: movedAtOnce }, () => this.#moveEach(ids, round));
      const settled = await Promise.allSettled(movers);
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  #isOver({ failures }: Round): boolean {
    return this.#isStopping || failures >= mostFailures;
  }

  /** Takes runs from a list that others take from too. Throws where the archive is away. */
  async #moveEach(ids: string[], round: Round): Promise<void> {
    const { logger } = this.#options;
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
      if (this.#isOver(round)) return;
      const from = performance.now();
      try {
        const moved = await moveRun(this.#options, id, round.until);
        const ms = Math.round(performance.now() - from);
        if (moved === 'moved') logger.info({ run: id, ms }, 'moved to the archive');
        this.#putOff.delete(id);
      } catch (error: unknown) {
        if (error instanceof ArchiveUnavailableError) throw error;
        // It may be this run alone: the others do not wait for it.
        round.failures++;
        this.#leaveFor(id, error);
      }
    }
  }

  #leaveFor(id: string, error: unknown): void {
    const { logger, now } = this.#options;
    const last = this.#putOff.get(id);
    const ms = last === undefined ? putOffMs : Math.min(2 * last.ms, longestPutOffMs);
    if (this.#putOff.size >= mostPutOff) this.#putOff.clear();
    this.#putOff.set(id, { until: now() + ms, ms });
    logger.error(
      { run: id, err: error },
      `it could not be moved to the archive: it stays in Redis, and is tried again in ${ms / 1_000} s`,
    );
  }
}

/** What the movers of one round know together. */
interface Round {
  readonly until: number;
  failures: number;
}
