import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LogWriter } from '@runnel/core';

/** Beyond this nothing more is kept: who reads the tasks says that they are too many. 64 MB and one byte. */
export const mostKeptBytes = 64 * 1024 * 1024 + 1;

/** The pipe that is a command's stdout. */
const stdoutSource = 0;

/** Keeps what a generator writes to stdout, beside the log that gets all of it as of any command. */
export class TasksOnStdout implements LogWriter {
  readonly #log: LogWriter;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(log: LogWriter) {
    this.#log = log;
  }

  write(chunk: string | Uint8Array, source = 0): boolean {
    if (source === stdoutSource && this.#bytes < mostKeptBytes) this.#keep(Buffer.from(chunk));
    return this.#log.write(chunk, source);
  }

  drained(): Promise<void> {
    return this.#log.drained();
  }

  /** Null where it is not UTF-8. */
  text(): string | null {
    return decode(Buffer.concat(this.#chunks));
  }

  #keep(chunk: Buffer): void {
    const kept = chunk.subarray(0, mostKeptBytes - this.#bytes);
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }
}

/** What a generator wrote to its file RUNNEL_TASKS, up to the same limit; null where it is not UTF-8. */
export async function readTasksFile(file: string): Promise<string | null> {
  // NONBLOCK: a pipe that took the file's place meanwhile must not hold up the worker.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using handle = await open(file, flags);
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, mostKeptBytes));
  let read = 0;
  while (read < buffer.length) {
    const { bytesRead } = await handle.read(buffer, read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return decode(buffer.subarray(0, read));
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
