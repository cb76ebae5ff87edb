import type { Archive } from '@runnel/archive';
import { moveRun, removeDeleted } from '@runnel/engine';
import type { Logger } from '@runnel/service';
import { forgetDeleted, type RedisClient, readDeleted, readMovable } from '@runnel/store';
import type { ShardLeases } from './shards.ts';

/** The last of a log may come a moment after the end of its run. */
const lastLinesMs = 5_000;
/** Runs that are moved side by side: each waits for Redis and for the archive in turns. */
const movedAtOnce = 4;
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
    for (const shard of leases.owned()) {
      if (this.#isStopping) return;
      const ids = [...(await readMovable(redis, namespace, shard, until))];
      const movers = Array.from({ length: movedAtOnce }, () => this.#moveEach(ids, until));
      const settled = await Promise.allSettled(movers);
      const failed = settled.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  /** Takes runs from a list that others take from too. */
  async #moveEach(ids: string[], until: number): Promise<void> {
    const { logger } = this.#options;
    for (let id = ids.shift(); id !== undefined && !this.#isStopping; id = ids.shift()) {
      const from = performance.now();
      const moved = await moveRun(this.#options, id, until);
      const ms = Math.round(performance.now() - from);
      if (moved === 'moved') logger.info({ run: id, ms }, 'moved to the archive');
    }
  }
}
