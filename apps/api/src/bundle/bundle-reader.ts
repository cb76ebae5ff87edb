import { createHash } from 'node:crypto';
import { RequestError } from '../request-error.ts';
import { WithoutField } from './without-field.ts';

/** A part has at most about 1 MB and one page of a hash, in base64. */
const mostLineBytes = 33_554_432;
const lineBreak = 10;
/** How the line of a task begins. An import does not read them, and each may be as large as the logs in it. */
export const taskStart = '{"task":';

/** Lines of a body as they come: no more than one is held, of the first all but the spec, of a task's none. */
export class BundleReader {
  count = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #hash = createHash('sha256');
  readonly #head = new WithoutField('spec');
  #open: Buffer[] = [];
  #bytes = 0;
  #hasBegun = false;
  #isPassedOver = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Of the lines so far, with their line breaks. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The next line, of a task only how it begins; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const bytes = this.#rest;
      const at = bytes.indexOf(lineBreak);
      if (at >= 0) {
        this.#take(bytes.subarray(0, at + 1));
        this.#rest = bytes.subarray(at + 1);
        return this.#close();
      }
      this.#take(bytes);
      this.#rest = Buffer.alloc(0);
      const more = await this.#chunks.next();
      if (more.done === true) return this.#hasBegun ? this.#close() : null;
      this.#rest = Buffer.from(more.value);
    }
  }

  #take(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#hasBegun = true;
    this.#hash.update(piece);
    if (this.#isPassedOver) return;
    const kept = this.count === 0 ? this.#head.take(piece) : piece;
    const isStart = this.#bytes < taskStart.length;
    this.#open.push(kept);
    this.#bytes += kept.length;
    if (this.count > 0 && isStart && this.#bytes >= taskStart.length) this.#passOverTask();
    if (this.#bytes > mostLineBytes) throw wrongLine(this.count + 1, 'the line is too long');
  }

  #passOverTask(): void {
    const start = Buffer.concat(this.#open).subarray(0, taskStart.length);
    this.#isPassedOver = start.toString() === taskStart;
    if (this.#isPassedOver) this.#open = [start];
  }

  #close(): string {
    const line = Buffer.concat(this.#open).toString();
    this.#open = [];
    this.#bytes = 0;
    this.#hasBegun = false;
    this.#isPassedOver = false;
    this.count++;
    return line;
  }
}

export function wrongLine(line: number, text: string, cause?: unknown): RequestError {
  return new RequestError(400, `line ${line}: ${text}; nothing was stored`, {
    code: 'BUNDLE_INVALID',
    cause,
  });
}
