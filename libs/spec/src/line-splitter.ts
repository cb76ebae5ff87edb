import { isUtf8 } from 'node:buffer';
import type { ByteRange } from './plain-reader.ts';

/** Longer lines are refused: a task has a few hundred characters. */
export const maxLineBytes = 1024 ** 2;

const lineBreak = 0x0a;

/** What lines go to; both are told the number of the line, from 1. */
export interface LineSink {
  /** A line of a text; the range is used again for the next one. */
  line(range: ByteRange, number: number): void;
  /** The line can't be read: it is not UTF-8, or too long; after a long one nothing follows. */
  bad(message: string, number: number): void;
}

/** Cuts bytes that come in pieces into lines; holds no more than one of them. */
export class LineSplitter {
  readonly #sink: LineSink;
  /** The beginning of a line whose end has not come yet. */
  #open: Buffer[] = [];
  #openBytes = 0;
  #number = 0;
  readonly #range: { bytes: Buffer; start: number; end: number } = {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
  };
  #isStopped = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.lastIndexOf(lineBreak);
    if (end !== -1) this.#closeLines(bytes.subarray(0, end));
    if (this.#isStopped || end + 1 === bytes.length) return;
    // A copy: the chunk may be used again by whoever sent it.
    this.#open.push(Buffer.from(bytes.subarray(end + 1)));
    this.#openBytes += bytes.length - end - 1;
    if (this.#openBytes > maxLineBytes) this.#stop();
  }

  /** The last line needs no line break. */
  end(): void {
    if (this.#openBytes > 0) this.#closeLines(Buffer.alloc(0));
  }

  #closeLines(bytes: Buffer): void {
    const whole = this.#openBytes === 0 ? bytes : Buffer.concat([...this.#open, bytes]);
    this.#open = [];
    this.#openBytes = 0;
    // Most often all of them are: then none needs a look of its own.
    const isValid = isUtf8(whole);
    const range = this.#range;
    range.bytes = whole;
    for (let start = 0; start <= whole.length && !this.#isStopped; start = range.end + 1) {
      const found = whole.indexOf(lineBreak, start);
      range.start = start;
      range.end = found === -1 ? whole.length : found;
      if (range.end - start > maxLineBytes) this.#stop();
      else if (isValid || isUtf8(whole.subarray(start, range.end)))
        this.#sink.line(range, ++this.#number);
      else this.#sink.bad('the line is not valid UTF-8', ++this.#number);
    }
  }

  #stop(): void {
    this.#isStopped = true;
    this.#open = [];
    this.#openBytes = 0;
    this.#sink.bad(`the line has more than ${maxLineBytes} bytes`, ++this.#number);
  }
}
