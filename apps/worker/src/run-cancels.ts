import { AttemptAbort } from '@runnel/core';
import { findCancelled, findUnwanted, type WatchedDelivery } from '@runnel/engine';
import {
  cancelChannel,
  editChannel,
  pauseChannel,
  type RedisClient,
  type RunInfoCache,
} from '@runnel/store';

/** Longer than a reserved delivery may wait for its job. */
const rememberMs = 60_000;

/** What a delivery has to know of its run while it is worked on. */
export interface RunHold {
  /** Aborted where the run is cancelled, or was edited and has no use for the delivery any more. */
  readonly signal: AbortSignal;
  /** Whether the run was cancelled, paused or edited a moment ago. */
  readonly mustClaim: boolean;
  /** Has it looked after whether an edit of the run leaves the delivery. */
  watch(claimed: WatchedDelivery): void;
  release(): void;
}

/**
 * Aborts what this worker runs of a cancelled run: at once where the broadcast arrives, at the next
 * check where it was missed. A cancelled run may have been retried since, and a paused one goes on some
 * time: what starts after the broadcast is not aborted, but has to claim, and the claim knows.
 */
export class RunCancels {
  /** When runs were cancelled or paused, for a while. */
  readonly #recent = new Map<string, number>();
  readonly #held = new Map<string, Set<AbortController>>();
  readonly #watched = new Map<AbortController, WatchedDelivery>();

  /** For one delivery of a run, until it is released. */
  acquire(runId: string): RunHold {
    const abort = new AbortController();
    const held = this.#held.get(runId) ?? new Set();
    this.#held.set(runId, held);
    held.add(abort);
    return {
      signal: abort.signal,
      mustClaim: this.#recent.has(runId),
      watch: (claimed) => this.#watched.set(abort, claimed),
      release: () => {
        held.delete(abort);
        this.#watched.delete(abort);
        if (held.size === 0 && this.#held.get(runId) === held) this.#held.delete(runId);
      },
    };
  }

  cancel(runId: string): void {
    this.distrust(runId);
    abortAll(this.#held.get(runId) ?? []);
  }

  /** Has deliveries of a run claimed that were reserved here. */
  distrust(runId: string): void {
    this.#recent.set(runId, performance.now());
  }

  /** @param onEdit called where a run of this worker is edited: `checkEdited` then finds out what of it is left. */
  async listen(subscriber: RedisClient, namespace: string, onEdit: () => void): Promise<void> {
    const paused = pauseChannel(namespace);
    const edited = editChannel(namespace);
    subscriber.on('message', (channel, runId) => {
      if (channel !== paused && channel !== edited) return this.cancel(runId);
      this.distrust(runId);
      if (channel === edited && this.#held.has(runId)) onEdit();
    });
    await subscriber.subscribe(cancelChannel(namespace));
    await subscriber.subscribe(paused);
    await subscriber.subscribe(edited);
  }

  /** Aborts deliveries that an edit of their run has closed. */
  async checkEdited(redis: RedisClient): Promise<void> {
    const watched = new Map([...this.#watched].map(([abort, one]) => [one, abort]));
    for (const one of await findUnwanted(redis, [...watched.keys()])) {
      watched.get(one)?.abort(new AttemptAbort('lease-lost'));
    }
  }

  /** Asks for every run that is worked on here: a broadcast may get lost. */
  async check(redis: RedisClient, infos: RunInfoCache): Promise<void> {
    for (const [runId, at] of this.#recent) {
      if (performance.now() - at > rememberMs) this.#recent.delete(runId);
    }
    // What starts while the answer is on its way may belong to a run that was retried.
    const held = new Map([...this.#held].map(([id, aborts]) => [id, [...aborts]] as const));
    const read = await Promise.allSettled([...held.keys()].map((id) => infos.read(id)));
    const runs = read.flatMap((one) =>
      one.status === 'fulfilled' ? [one.value.facts.handle] : [],
    );
    for (const id of await findCancelled(redis, runs)) {
      this.distrust(id);
      abortAll(held.get(id) ?? []);
    }
  }
}

function abortAll(aborts: Iterable<AbortController>): void {
  for (const abort of aborts) abort.abort(new AttemptAbort('cancel'));
}
