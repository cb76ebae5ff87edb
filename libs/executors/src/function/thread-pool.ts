import { setTimeout } from 'node:timers/promises';
import type { HostHandle } from './host-handle.ts';
import { type HostOptions, startThread } from './thread-handle.ts';

/** A thread inside a blocking call of the system can't be ended before that returns. */
const disposeMs = 2_000;

export interface PooledThread {
  readonly host: HostHandle;
  /** It has imported its modules. */
  readonly ready: boolean;
}

/** At most `size` threads at work, each kept for the next delivery. */
export class ThreadPool implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #idle: HostHandle[] = [];
  readonly #all = new Set<HostHandle>();
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(size: number, options: HostOptions) {
    this.#free = Math.max(1, size);
    this.#options = options;
  }

  /** Waits for a slot; false where the signal was aborted before. A slot that was taken is to be left. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    const turn = Promise.withResolvers<boolean>();
    const take = (): void => turn.resolve(true);
    const giveUp = (): void => {
      // At once, so that leave() can't hand the slot to who has gone.
      if (this.#waiting.delete(take)) turn.resolve(false);
    };
    this.#waiting.add(take);
    signal.addEventListener('abort', giveUp, { once: true });
    const entered = await turn.promise;
    signal.removeEventListener('abort', giveUp);
    return entered;
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** An idle thread or a new one, for the holder of a slot. */
  take(): PooledThread {
    const idle = this.#idle.pop();
    if (idle !== undefined) return { host: idle, ready: true };
    const host = startThread(this.#options);
    this.#all.add(host);
    host.ended.then(
      () => this.#forget(host),
      () => undefined,
    );
    return { host, ready: false };
  }

  giveBack(host: HostHandle): void {
    if (this.#all.has(host)) this.#idle.push(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ending = [...this.#all];
    for (const host of ending) host.terminate();
    const ended = Promise.all(ending.map((host) => host.ended));
    await Promise.race([ended, setTimeout(disposeMs, undefined, { ref: false })]);
  }

  /** Also of a thread that died while it was idle, by a timer that a function left behind. */
  #forget(host: HostHandle): void {
    this.#all.delete(host);
    const index = this.#idle.indexOf(host);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
