import { AttemptAbort } from '@runnel/core';
import { findCancelled, type TaskWatcher } from '@runnel/engine';
import {
  cancelChannel,
  cancelTasksChannel,
  findCancelling,
  pauseChannel,
  type RedisClient,
  type RunHandle,
  type RunInfoCache,
} from '@runnel/store';

/** Longer than a reserved delivery may wait for its job. */
const rememberMs = 60_000;

/** What a delivery has to know of its run while it is worked on. */
export interface RunHold {
  /** Aborted where the run is cancelled. */
  readonly signal: AbortSignal;
  /** Whether the run was cancelled or paused a moment ago. */
  readonly mustClaim: boolean;
  /** Has single tasks of it ended when they are cancelled. */
  watch(watcher: TaskWatcher): void;
  release(): void;
}

/** A delivery that is worked on. */
interface Held {
  readonly abort: AbortController;
  watcher?: TaskWatcher;
}

/**
 * Aborts what this worker runs of a cancelled run, or of its cancelled tasks: at once where the broadcast arrives, at the next
 * check where it was missed. A cancelled run may have been retried since, and a paused one goes on some
 * time: what starts after the broadcast is not aborted, but has to claim, and the claim knows.
 */
export class RunCancels {
  /** When runs were cancelled or paused, for a while. */
  readonly #recent = new Map<string, number>();
  readonly #held = new Map<string, Set<Held>>();
  /** Looks at once which tasks of a run are cancelled. */
  #look: (runId: string) => void = () => undefined;

  /** For one delivery of a run, until it is released. */
  acquire(runId: string): RunHold {
    const own: Held = { abort: new AbortController() };
    const held = this.#held.get(runId) ?? new Set();
    this.#held.set(runId, held);
    held.add(own);
    return {
      signal: own.abort.signal,
      mustClaim: this.#recent.has(runId),
      watch: (watcher) => {
        own.watcher = watcher;
        // What was told before it was claimed was not for it.
        if (this.#recent.has(runId)) this.#look(runId);
      },
      release: () => {
        held.delete(own);
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

  /** @param look looks which tasks of a run are cancelled, with `checkTasks`. */
  async listen(
    subscriber: RedisClient,
    namespace: string,
    look: (runId: string) => void,
  ): Promise<void> {
    this.#look = look;
    const tasks = cancelTasksChannel(namespace);
    const whole = cancelChannel(namespace);
    subscriber.on('message', (channel, runId) => {
      if (channel === whole) return this.cancel(runId);
      this.distrust(runId);
      if (channel === tasks && this.#held.has(runId)) look(runId);
    });
    for (const channel of [whole, tasks, pauseChannel(namespace)]) {
      await subscriber.subscribe(channel);
    }
  }

  /** Ends those tasks of a run that are being cancelled. */
  async checkTasks(redis: RedisClient, run: RunHandle): Promise<void> {
    for (const { watcher } of [...(this.#held.get(run.id) ?? [])]) {
      if (watcher === undefined) continue;
      watcher.cancel(await findCancelling(redis, run, watcher.ids()));
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
    const { whole, parts } = await findCancelled(redis, runs);
    for (const id of whole) {
      this.distrust(id);
      abortAll(held.get(id) ?? []);
    }
    for (const run of parts) {
      this.distrust(run.id);
      await this.checkTasks(redis, run);
    }
  }
}

function abortAll(held: Iterable<Held>): void {
  for (const { abort } of held) abort.abort(new AttemptAbort('cancel'));
}
