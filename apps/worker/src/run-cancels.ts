import { AttemptAbort } from '@runnel/core';
import { findCancelled } from '@runnel/engine';
import { cancelChannel, type RedisClient, type RunInfoCache } from '@runnel/store';

/** Longer than a reserved delivery may wait for its job. */
const rememberMs = 60_000;

/**
 * Aborts what this worker runs of a cancelled run: at once where the broadcast arrives, at the next
 * check where it was missed.
 */
export class RunCancels {
  /** When runs were cancelled, for a while: a delivery that starts without a claim asks nobody else. */
  readonly #recent = new Map<string, number>();
  readonly #controllers = new Map<string, { readonly abort: AbortController; users: number }>();

  /** The signal of a run, until `release`. */
  acquire(runId: string): AbortSignal {
    const known = this.#controllers.get(runId) ?? { abort: new AbortController(), users: 0 };
    known.users++;
    this.#controllers.set(runId, known);
    if (this.#recent.has(runId)) known.abort.abort(new AttemptAbort('cancel'));
    return known.abort.signal;
  }

  release(runId: string): void {
    const known = this.#controllers.get(runId);
    if (known === undefined) return;
    known.users--;
    if (known.users === 0) this.#controllers.delete(runId);
  }

  cancel(runId: string): void {
    this.#recent.set(runId, performance.now());
    this.#controllers.get(runId)?.abort.abort(new AttemptAbort('cancel'));
  }

  async listen(subscriber: RedisClient, namespace: string): Promise<void> {
    subscriber.on('message', (_channel, runId) => this.cancel(runId));
    await subscriber.subscribe(cancelChannel(namespace));
  }

  /** Asks for every run that is worked on here: a broadcast may get lost. */
  async check(redis: RedisClient, infos: RunInfoCache): Promise<void> {
    for (const [runId, at] of this.#recent) {
      if (performance.now() - at > rememberMs) this.#recent.delete(runId);
    }
    const ids = [...this.#controllers.keys()];
    const read = await Promise.allSettled(ids.map((id) => infos.read(id)));
    const runs = read.flatMap((one) =>
      one.status === 'fulfilled' ? [one.value.facts.handle] : [],
    );
    for (const id of await findCancelled(redis, runs)) this.cancel(id);
  }
}
