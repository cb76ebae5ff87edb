import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '@runnel/core';
import type { Logger } from '@runnel/service';
import {
  acknowledgeOutcomes,
  buryOutcome,
  type Chores,
  type OutcomeEntry,
  type RedisClient,
  readNewOutcomes,
  readPendingOutcomes,
  type ShardEntries,
} from '@runnel/store';
import type { RunTurns } from './run-turns.ts';
import type { ShardLeases } from './shards.ts';

/** Entries of one shard that are read at once. */
const entriesPerRead = 64;
/** How long a read waits: as long as it may take until a newly taken shard is read. */
const blockMs = 250;
/** An entry that fails so often goes to the dead letters, where `why` finds it. */
const mostTries = 5;
const retryAfterMs = 200;

export interface ReaderOptions {
  readonly redis: RedisClient;
  /** A connection of its own: reads block it. */
  readonly blocking: RedisClient;
  readonly namespace: string;
  readonly leases: ShardLeases;
  readonly turns: RunTurns;
  readonly chores: Chores;
  readonly logger: Logger;
}

/**
 * Reads outcomes of the owned shards and has them settled. An entry is acknowledged after everything
 * in it was accepted or found to be a duplicate; a crash before that leaves it pending, and the next
 * owner settles it again without a second effect.
 */
export class OutcomeReader {
  readonly #options: ReaderOptions;
  readonly #tries = new Map<string, number>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Runs until the signal is aborted and what was read is settled. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch (error: unknown) {
        if (signal.aborted) return;
        this.#options.logger.error({ err: error }, 'a round of settling failed; it goes on');
        await sleep(retryAfterMs);
        if (isWithoutGroup(error)) await this.#openAgain();
      }
    }
  }

  async #round(): Promise<void> {
    const { leases, turns } = this.#options;
    const fresh = leases.takeFresh();
    // What was settled here is not pending any more, once the acknowledgements are out.
    if (fresh.length > 0) await this.#options.chores.flush();
    await Promise.all(fresh.map((shard) => this.#settlePending(shard)));
    const entries = await this.#readNew(turns.hasUnfinished());
    await Promise.all(entries.map((one) => this.#settleShard(one)));
    if (turns.hasUnfinished()) await turns.goOn();
  }

  async #openAgain(): Promise<void> {
    const { leases, logger } = this.#options;
    try {
      await leases.openAgain();
    } catch (error: unknown) {
      logger.error({ err: error }, 'streams of outcomes could not be made; this is tried again');
    }
  }

  async #readNew(isBusy: boolean): Promise<readonly ShardEntries[]> {
    const { blocking, redis, namespace, leases } = this.#options;
    const shards = leases.owned();
    if (shards.length === 0) {
      await sleep(blockMs);
      return [];
    }
    const options = { count: entriesPerRead, blockMs: isBusy ? null : blockMs };
    return await readNewOutcomes(isBusy ? redis : blocking, namespace, shards, options);
  }

  /** What an earlier owner read and did not finish, until nothing of it is left. */
  async #settlePending(shard: number): Promise<void> {
    const { redis, namespace } = this.#options;
    for (;;) {
      const entries = await readPendingOutcomes(redis, namespace, shard, entriesPerRead);
      if (entries.length === 0) return;
      const failed = await this.#settleShard({ shard, entries });
      // What was settled must be gone before the pending entries are read again.
      await this.#options.chores.flush();
      if (failed) return;
    }
  }

  /** Settles entries of one shard, run by run; true where some stay pending. */
  async #settleShard({ shard, entries }: ShardEntries): Promise<boolean> {
    const byRun = Map.groupBy(entries, (entry) => entry.runId);
    const failed = await Promise.all(
      [...byRun].map(([runId, own]) => this.#settleRun(shard, runId, own)),
    );
    return failed.some(Boolean);
  }

  async #settleRun(
    shard: number,
    runId: string,
    entries: readonly OutcomeEntry[],
  ): Promise<boolean> {
    const { chores, namespace, turns, leases } = this.#options;
    try {
      await turns.settle(runId, entries);
    } catch (error: unknown) {
      if (entries.length > 1) return await this.#settleOneByOne(shard, runId, entries);
      await this.#noteFailure(shard, entries, error);
      leases.readPendingAgain(shard);
      return true;
    }
    for (const entry of entries) this.#tries.delete(entry.entryId);
    const ids = entries.map(({ entryId }) => entryId);
    await failpoint('ack.before');
    acknowledgeOutcomes(chores, namespace, shard, ids);
    await failpoint('ack.after');
    return false;
  }

  /** One entry that can't be settled must not hold up the others. */
  async #settleOneByOne(
    shard: number,
    runId: string,
    entries: readonly OutcomeEntry[],
  ): Promise<boolean> {
    let failed = false;
    for (const entry of entries) failed = (await this.#settleRun(shard, runId, [entry])) || failed;
    return failed;
  }

  async #noteFailure(
    shard: number,
    entries: readonly OutcomeEntry[],
    error: unknown,
  ): Promise<void> {
    const { redis, chores, namespace, logger } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    for (const entry of entries) {
      const tries = (this.#tries.get(entry.entryId) ?? 0) + (isOutage(reason) ? 0 : 1);
      this.#tries.set(entry.entryId, tries);
      logger.error({ err: error, run: entry.runId, carrier: entry.carrier, tries }, 'not settled');
      if (tries < mostTries) continue;
      await failpoint('bury.before');
      await buryOutcome(redis, namespace, shard, entry, reason);
      await failpoint('bury.after');
      acknowledgeOutcomes(chores, namespace, shard, [entry.entryId]);
      this.#tries.delete(entry.entryId);
    }
    await sleep(retryAfterMs);
  }
}

/** The stream is not there any more, nor who reads it. */
function isWithoutGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP');
}

/** Redis itself can't answer now: no fault of the entry. */
function isOutage(message: string): boolean {
  return /^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|NOREPLICAS|OOM|MISCONF|TRYAGAIN|BUSY)|[Cc]onnection/.test(
    message,
  );
}
