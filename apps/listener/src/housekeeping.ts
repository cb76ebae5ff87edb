import type { Archive } from '@runnel/archive';
import { failpoint } from '@runnel/core';
import { abandonedMs, type LostDeliveries, type Shares } from '@runnel/engine';
import type { Logger } from '@runnel/service';
import {
  type DueTask,
  dropTimes,
  forgetGoneNumbers,
  type RedisClient,
  type Removal,
  type RunInfoCache,
  readAbandoned,
  readActiveRuns,
  readDue,
  readEndedBefore,
  readExpiredCopies,
  release,
  removeRun,
} from '@runnel/store';
import { keeperShard } from './archive-runs.ts';
import type { RunTurns } from './run-turns.ts';
import type { ShardLeases } from './shards.ts';

const dueAtOnce = 1_000;

export interface HousekeepingOptions {
  readonly redis: RedisClient;
  /** For reads of all shards at once; scripts do not go this way. */
  readonly sweeping: RedisClient;
  readonly namespace: string;
  readonly leases: ShardLeases;
  readonly turns: RunTurns;
  readonly shares: Shares;
  readonly infos: RunInfoCache;
  readonly lost: LostDeliveries;
  readonly archive: Pick<Archive, 'known'> | null;
  /** How long runs that ended are kept; Infinity where others move them away. */
  readonly keepMs: number;
  readonly logger: Logger;
  now(): number;
}

/** What the owner of a shard looks after besides outcomes. Each part may be done twice without harm. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Tasks whose delay is over become ready. */
  async releaseDue(): Promise<void> {
    const { sweeping, namespace, leases, now } = this.#options;
    await Promise.all(
      leases.owned().map(async (shard) => {
        const due = await readDue(sweeping, namespace, shard, { now: now(), count: dueAtOnce });
        const byRun = Map.groupBy(due, (task) => task.runId);
        for (const [runId, tasks] of byRun) await this.#release(shard, runId, tasks);
      }),
    );
  }

  async #release(shard: number, runId: string, tasks: readonly DueTask[]): Promise<void> {
    const { redis, namespace, infos, turns } = this.#options;
    const info = await infos.readIfThere(runId);
    if (info === null) {
      const members = tasks.map(({ member }) => member);
      return await dropTimes(redis, namespace, shard, members);
    }
    const ids = tasks.map(({ id }) => id);
    await failpoint('times.before-release');
    await release(redis, info.facts.handle, ids);
    await failpoint('times.after-release');
    await turns.visit(runId);
  }

  /**
   * Every active run gets a turn, for outboxes and backlogs that a dead process left. Pending entries
   * are read again: where the answer to a read was lost, or an acknowledgement, nobody else would.
   */
  async visitActive(): Promise<void> {
    const { turns, leases } = this.#options;
    for (const shard of leases.owned()) leases.readPendingAgain(shard);
    for (const runId of await this.#activeRuns()) await turns.visit(runId);
  }

  /** Deliveries that BullMQ has lost get a new carrier. */
  async reissueLost(): Promise<void> {
    const { infos, lost, turns, logger, now } = this.#options;
    for (const runId of await this.#activeRuns()) {
      const info = await infos.readIfThere(runId);
      if (info === null) continue;
      const count = await lost.check(info.facts.handle, now());
      if (count === 0) continue;
      logger.warn({ run: runId, count }, 'deliveries were lost; they start again');
      await turns.visit(runId);
    }
  }

  /**
   * Submissions that broke off, runs that were never started, copies that nobody reads any more, and,
   * where there is no archive, runs past retention go.
   */
  async removeOld(): Promise<void> {
    const { redis, namespace, leases, keepMs, now } = this.#options;
    for (const shard of leases.owned()) {
      const givenUp = { set: 'submitting', until: now() - abandonedMs } as const;
      const past = { set: 'ended', until: now() - keepMs } as const;
      const abandoned = await readAbandoned(redis, namespace, shard, givenUp.until);
      for (const runId of abandoned) await this.#remove(runId, givenUp);
      const old = await readEndedBefore(redis, namespace, shard, past.until);
      for (const runId of old) await this.#remove(runId, past);
      const unread = { set: 'copies', until: now() } as const;
      const copies = await readExpiredCopies(redis, namespace, shard, unread.until);
      for (const runId of copies) await this.#remove(runId, unread);
    }
  }

  /** Numbers that runs have for DaggyR's clients stay as long as the run is anywhere. */
  async forgetNumbers(): Promise<void> {
    const { redis, namespace, leases, archive } = this.#options;
    if (!leases.owned().includes(keeperShard)) return;
    await forgetGoneNumbers(redis, namespace, async (ids) => (await archive?.known(ids)) ?? []);
  }

  async #remove(runId: string, removal: Removal): Promise<void> {
    const { redis, namespace, logger } = this.#options;
    if (await removeRun(redis, namespace, runId, removal)) logger.info({ run: runId }, 'removed');
  }

  async #activeRuns(): Promise<readonly string[]> {
    const { sweeping, namespace, leases } = this.#options;
    const shards = leases.owned();
    const runs = await Promise.all(
      shards.map((shard) => readActiveRuns(sweeping, namespace, shard)),
    );
    return runs.flat();
  }
}
