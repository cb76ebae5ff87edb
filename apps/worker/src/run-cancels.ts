import { AttemptAbort } from '@runnel/core';
import {
  findCancelled,
  findUnwanted,
  type TaskWatcher,
  type WatchedDelivery,
} from '@runnel/engine';
import {
  cancelChannel,
  cancelTasksChannel,
  editChannel,
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
  /** Aborted where the run is cancelled, or was edited and has no use for the delivery any more. */
  readonly signal: AbortSignal;
  /** Whether the run was cancelled, paused or edited a moment ago. */
  readonly mustClaim: boolean;
  /** Has single tasks of it ended when they are cancelled. */
  watch(watcher: TaskWatcher): void;
  /** Has it looked after whether an edit of the run leaves the delivery. */
  guard(claimed: WatchedDelivery): void;
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
  readonly #guarded = new Map<AbortController, WatchedDelivery>();
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
      guard: (claimed) => this.#guarded.set(own.abort, claimed),
      watch: (watcher) => {
        own.watcher = watcher;
        // What was told before it was claimed was not for it.
        if (this.#recent.has(runId)) this.#look(runId);
      },
      release: () => {
        held.delete(own);
        this.#guarded.delete(own.abort);
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

  /** @param look looks what of a run is not wanted any more, with `checkTasks` and `checkEdited`. */
  async listen(
    subscriber: RedisClient,
    namespace: string,
    look: (runId: string) => void,
  ): Promise<void> {
    this.#look = look;
    const tasks = cancelTasksChannel(namespace);
    const edited = editChannel(namespace);
    const whole = cancelChannel(namespace);
    subscriber.on('message', (channel, runId) => {
      if (channel === whole) return this.cancel(runId);
      this.distrust(runId);
      if ((channel === tasks || channel === edited) && this.#held.has(runId)) look(runId);
    });
    for (const channel of [whole, tasks, edited, pauseChannel(namespace)]) {
      await subscriber.subscribe(channel);
    }
  }

  /** Aborts deliveries that an edit of their run has closed. */
  async checkEdited(redis: RedisClient): Promise<void> {
    const guarded = new Map([...this.#guarded].map(([abort, one]) => [one, abort]));
    for (const one of await findUnwanted(redis, [...guarded.keys()])) {
      guarded.get(one)?.abort(new AttemptAbort('lease-lost'));
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
