import type { LogWriter } from '@runnel/core';
import { type RedisClient, type RunHandle, writeLog } from '@runnel/store';

/** How often a log that grows is stored, so that it can be read while its task runs. */
const storeEveryMs = 250;

export interface TaskLogOptions {
  readonly redis: RedisClient;
  readonly run: RunHandle;
  readonly task: number;
  readonly attempt: number;
  readonly tailBytes: number;
  readonly runCapBytes: number;
}

/** Keeps the tail of what one attempt writes, in memory and in Redis. */
export class TaskLog implements LogWriter {
  readonly #options: TaskLogOptions;
  #chunks: Buffer[] = [];
  #kept = 0;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TaskLogOptions) {
    this.#options = options;
  }

  /** Always true: only the tail is kept, so the writer never has to wait. */
  write(chunk: string | Uint8Array): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    const { tailBytes } = this.#options;
    const kept = bytes.length > tailBytes ? bytes.subarray(-tailBytes) : bytes;
    this.#chunks.push(kept);
    this.#written += bytes.length;
    this.#kept += kept.length;
    if (this.#kept > 2 * tailBytes) this.#trim();
    this.#timer ??= setTimeout(() => this.flush(), storeEveryMs);
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  get hasText(): boolean {
    return this.#written > 0;
  }

  tail(): Buffer {
    this.#trim();
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Resolves when everything is stored. A log that can't be stored is not the task's failure. */
  async close(): Promise<void> {
    this.flush();
    await this.#last;
  }

  /** Sends what was not stored yet, before whatever is sent next on the same connection. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tail = this.tail();
    const { redis, run } = this.#options;
    const droppedBytes = this.#written - tail.length;
    const stored = writeLog(redis, run, { ...this.#options, droppedBytes, tail });
    this.#last = Promise.all([this.#last, stored.catch(() => undefined)]);
  }

  #trim(): void {
    const all = Buffer.concat(this.#chunks);
    const tail = all.subarray(Math.max(0, all.length - this.#options.tailBytes));
    // A copy, so that what was cut off is freed.
    const copy = tail.length === all.length ? all : Buffer.from(tail);
    this.#chunks = copy.length === 0 ? [] : [copy];
    this.#kept = copy.length;
  }
}
