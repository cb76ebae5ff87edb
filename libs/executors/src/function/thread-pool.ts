import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostOptions } from './host-options.ts';
import { startThread, type ThreadHandle } from './thread-handle.ts';
import { WaitingLine } from './waiting-line.ts';

/** A thread inside a blocking call of the system can't be ended before that returns. */
const disposeMs = 2_000;

/** How long a thread is kept without work, by default: its memory is worth more than the 100 ms of another start. */
const keptIdleMs = 60_000;

/**
 * How long a delivery waits for a thread that becomes free before it gets a new one. So short functions share a few
 * threads, while long ones hardly notice. Threads beyond the number of cores help only functions that wait: while the
 * threads compute there is another only for those that are long.
 */
const soonMs = 2;
const patientMs = 25;

/** Threads that are at work more of their time than this compute. */
const computingShare = 0.5;

/** A thread that starts longer than this doesn't keep others from starting. */
const slowStartMs = 1_000;

export interface ThreadPoolOptions extends HostOptions {
  /** How many deliveries may have a thread at once. */
  readonly size: number;
  readonly keptIdleMs?: number;
  /** How long to wait for one of so many threads before there is another, by how much they compute. */
  readonly growAfterMs?: (threads: number, busyShare: number) => number;
}

interface IdleThread {
  readonly host: ThreadHandle;
  readonly since: number;
}

/** Threads that are started when they are needed, kept for the next delivery, and ended when none comes. */
export class ThreadPool implements AsyncDisposable {
  readonly #options: Required<ThreadPoolOptions>;
  /** With the time of their start. */
  readonly #all = new Map<ThreadHandle, number>();
  /** No more of use, and not gone yet. */
  readonly #ending = new Set<ThreadHandle>();
  /** The one that was at work last is at the end, and is used first. */
  readonly #idle: IdleThread[] = [];
  readonly #forSlots = new WaitingLine<true>();
  readonly #forThreads = new WaitingLine<ThreadHandle>();
  readonly #sweeping: NodeJS.Timeout;
  #growing: NodeJS.Timeout | null = null;
  #free: number;

  constructor(options: ThreadPoolOptions) {
    this.#options = { keptIdleMs, growAfterMs: growSlowly, ...options };
    this.#free = Math.max(1, options.size);
    this.#sweeping = setInterval(() => this.#sweep(), this.#options.keptIdleMs / 2);
    this.#sweeping.unref();
  }

  /** Starts a thread before it is needed, so that the first task need not wait for it. */
  prestart(): void {
    this.giveBack(this.#start());
  }

  /** Waits for a slot; false where the signal was aborted before. A slot that was taken is to be left. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free === 0) return (await this.#forSlots.wait(signal)) !== null;
    this.#free--;
    return true;
  }

  leave(): void {
    if (!this.#forSlots.serve(true)) this.#free++;
  }

  /** For the holder of a slot: an idle thread, one that becomes free soon, or a new one; null at an abort. */
  async take(signal: AbortSignal): Promise<ThreadHandle | null> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle.host;
    if (this.#all.size === 0) return this.#start();
    this.#growing ??= setTimeout(() => this.#grow(), soonMs);
    return await this.#forThreads.wait(signal);
  }

  giveBack(host: ThreadHandle): void {
    if (!this.#all.has(host) || this.#forThreads.serve(host)) return;
    this.#idle.push({ host, since: performance.now() });
  }

  /** Instead of giving it back. */
  end(host: ThreadHandle): void {
    host.terminate();
    if (!this.#all.delete(host)) return;
    this.#ending.add(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeping);
    if (this.#growing !== null) clearTimeout(this.#growing);
    for (const host of this.#all.keys()) this.end(host);
    const ended = Promise.all([...this.#ending].map((host) => host.ended));
    await Promise.race([ended, sleep(disposeMs, undefined, { ref: false })]);
  }

  #start(): ThreadHandle {
    const host = startThread(this.#options);
    this.#all.set(host, performance.now());
    host.ended.then(
      () => this.#forget(host),
      () => undefined,
    );
    return host;
  }

  /**
   * Starts threads for those who have waited long enough; at once no more than there are already. The first thread
   * fills the cache of compiled modules; if all started together, each would do that work and take the memory for it.
   */
  #grow(): void {
    this.#growing = null;
    const now = performance.now();
    const starting = [...this.#all].filter(
      ([host, startedAt]) => !host.isReady && now - startedAt < slowStartMs,
    ).length;
    let allowed = Math.max(1, this.#all.size - starting) - starting;
    const busyShare = this.#busyShare();
    for (let since = this.#forThreads.since; since !== null; since = this.#forThreads.since) {
      const growAfterMs = this.#options.growAfterMs(this.#all.size, busyShare);
      const restMs = since + growAfterMs - now;
      if (restMs > 0 || allowed <= 0) {
        this.#growing = setTimeout(() => this.#grow(), restMs > 0 ? restMs : growAfterMs);
        return;
      }
      allowed--;
      this.#forThreads.serve(this.#start());
    }
  }

  /** Of the time since the last look, on average; somebody waits, so none has been idle lately. */
  #busyShare(): number {
    let sum = 0;
    for (const host of this.#all.keys()) sum += host.busyShare();
    return sum / this.#all.size;
  }

  /** Ends who has been idle for long, but for one that the next task finds. */
  #sweep(): void {
    const before = performance.now() - this.#options.keptIdleMs;
    while (this.#all.size > 1) {
      const [longest] = this.#idle;
      if (longest === undefined || longest.since > before) return;
      this.#idle.shift();
      this.end(longest.host);
    }
  }

  /** Also of a thread that died while it was idle, by a timer that a function left behind. */
  #forget(host: ThreadHandle): void {
    this.#all.delete(host);
    this.#ending.delete(host);
    const index = this.#idle.findIndex((idle) => idle.host === host);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

function growSlowly(threads: number, busyShare: number): number {
  return threads < availableParallelism() || busyShare < computingShare ? soonMs : patientMs;
}
