/**
 * Memory that a thread writes to and the main thread reads from while the thread is busy. Without it a result would
 * wait for the end of the next function, or each would need a message of its own, at ten times the cost.
 *
 * It holds the ends that need no words, as durations, and text for all else:
 *
 *   int32    bytes of text that are written
 *   int32    one more than the position of the last task that ended without words
 *   float64  the duration of each such task, by its position
 *   bytes    text: records, joined by commas
 *
 * The thread stores the two numbers after what they stand for. The main thread sets them back to nothing before it
 * hands over more tasks, when the thread is idle and writes nothing (a task that has ended can't log any more).
 */
export const outboxBytes = 1_048_576;

/** As many as a batch has at most; a later task would end with a record. */
export const maxWordless = 256;

const durationsAt = 8;
const textAt = durationsAt + 8 * maxWordless;
const comma = 0x2c;

export function createOutbox(): SharedArrayBuffer {
  return new SharedArrayBuffer(textAt + outboxBytes);
}

export interface OutboxWriter {
  /** The task at this position succeeded without output. False where it has no room. */
  end(position: number, durationMs: number): boolean;
  /** False where there is no room left. */
  write(record: string): boolean;
}

export function writeOutbox(shared: SharedArrayBuffer): OutboxWriter {
  const counts = new Int32Array(shared, 0, 2);
  const durations = new Float64Array(shared, durationsAt, maxWordless);
  const bytes = Buffer.from(shared, textAt);
  return {
    end(position, durationMs) {
      if (position >= maxWordless) return false;
      durations[position] = durationMs;
      Atomics.store(counts, 1, position + 1);
      return true;
    },
    write(record) {
      const start = Atomics.load(counts, 0);
      if (start + Buffer.byteLength(record) + 1 > bytes.length) return false;
      const written = bytes.write(record, start);
      bytes[start + written] = comma;
      Atomics.store(counts, 0, start + written + 1);
      return true;
    },
  };
}

export interface OutboxReader {
  /** Every task before this position has ended; the text up to there is written. */
  ended(): number;
  durationMs(position: number): number;
  /** The records since the last call, joined by commas. */
  read(): string;
  /** Makes room. Only while the writer is idle. */
  clear(): void;
}

export function readOutbox(shared: SharedArrayBuffer): OutboxReader {
  const counts = new Int32Array(shared, 0, 2);
  const durations = new Float64Array(shared, durationsAt, maxWordless);
  const bytes = Buffer.from(shared, textAt);
  let position = 0;
  return {
    ended: () => Atomics.load(counts, 1),
    durationMs: (task) => durations[task] ?? 0,
    read() {
      const end = Atomics.load(counts, 0);
      if (end === position) return '';
      const text = bytes.toString('utf8', position, end - 1);
      position = end;
      return text;
    },
    clear() {
      position = 0;
      Atomics.store(counts, 0, 0);
      Atomics.store(counts, 1, 0);
    },
  };
}
