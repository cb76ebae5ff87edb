import { openSync, writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

/** task i32, start u64 ns, end u64 ns. */
export const callBytes = 20;
export const journalPrefix = 'journal-';

/** Some 80 KB: a write costs as much as ten calls, so it is not made for each. */
const bufferedCalls = 4_096;
const flushMs = 50;

/** Nanoseconds of the machine's monotonic clock: the same in every process. */
export function now(): bigint {
  return process.hrtime.bigint();
}

/**
 * The calls that one thread got, in a file of its own in the working directory. Calls of warm-ups have numbers below 0
 * and are left out.
 */
export class Journal {
  readonly #buffer = Buffer.allocUnsafe(bufferedCalls * callBytes);
  #used = 0;
  #fd: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  record(task: number, startedAt: bigint, endedAt: bigint): void {
    if (task < 0) return;
    this.#buffer.writeInt32LE(task, this.#used);
    this.#buffer.writeBigUInt64LE(startedAt, this.#used + 4);
    this.#buffer.writeBigUInt64LE(endedAt, this.#used + 12);
    this.#used += callBytes;
    if (this.#used === this.#buffer.length) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#fd ??= openSync(`${journalPrefix}${process.pid}-${threadId}`, 'a');
    writeSync(this.#fd, this.#buffer, 0, this.#used);
    this.#used = 0;
  }
}
