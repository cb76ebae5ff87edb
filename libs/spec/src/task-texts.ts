import { promisify } from 'node:util';
import { constants, createDeflateRaw, inflateRaw } from 'node:zlib';
import { betweenTexts, payloadChunk } from '@runnel/core';
import type { ByteRange } from './plain-reader.ts';

const inflate = promisify(inflateRaw);

/** So many bytes may wait to be deflated before whoever sends them waits, too. */
const mostWaiting = 4 * 1024 ** 2;
const firstBytes = 16_384;
const between = Buffer.from(betweenTexts);

/** Keeps the texts of tasks, deflated beside the event loop in chunks of `payloadChunk`. */
export class TaskTexts {
  /** Not made for the many documents that are too small for it. */
  #deflater: ChunkDeflater | null = null;
  readonly #chunks: Promise<Buffer>[] = [];
  #open = Buffer.alloc(0);
  #length = 0;
  #count = 0;
  #waitingBytes = 0;

  /** The text of the next task. */
  add({ bytes, start, end }: ByteRange): void {
    this.#reserve(between.length + end - start);
    if (this.#count > 0) this.#length += between.copy(this.#open, this.#length);
    this.#length += bytes.copy(this.#open, this.#length, start, end);
    if (++this.#count === payloadChunk) this.#close();
  }

  /** Resolves when not too much waits to be deflated. */
  async drain(): Promise<void> {
    if (this.#waitingBytes > mostWaiting) await this.#chunks.at(-1);
  }

  /** All texts, once the last has been added. */
  async end(): Promise<readonly Buffer[]> {
    if (this.#count > 0) this.#close();
    const chunks = await Promise.all(this.#chunks);
    this.#deflater?.close();
    return chunks;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#open.length) return;
    const larger = Buffer.allocUnsafe(Math.max(firstBytes, needed * 2));
    this.#open.copy(larger, 0, 0, this.#length);
    this.#open = larger;
  }

  #close(): void {
    const texts = Buffer.from(this.#open.subarray(0, this.#length));
    this.#length = 0;
    this.#count = 0;
    const chunk = this.#deflate(texts);
    // Who ends all of it is told.
    chunk.catch(() => undefined);
    this.#chunks.push(chunk);
  }

  async #deflate(texts: Buffer): Promise<Buffer> {
    this.#waitingBytes += texts.length;
    this.#deflater ??= new ChunkDeflater();
    await this.#chunks.at(-1);
    const chunk = await this.#deflater.deflate(texts);
    this.#waitingBytes -= texts.length;
    return chunk;
  }
}

/** Makes a stream of its own of each chunk; to make a deflater for each would take half of the time. */
class ChunkDeflater {
  /** The quickest but one: the first takes more room for texts that differ a little. */
  readonly #stream = createDeflateRaw({ level: 2 });
  readonly #failed = Promise.withResolvers<never>();
  #parts: Buffer[] = [];

  constructor() {
    this.#failed.promise.catch(() => undefined);
    this.#stream.on('error', this.#failed.reject);
    // A copy: what zlib gives is a part of a larger buffer, which would stay.
    this.#stream.on('data', (part: Buffer) => this.#parts.push(Buffer.from(part)));
  }

  /** To be called again when it has resolved. */
  async deflate(bytes: Buffer): Promise<Buffer> {
    const stream = this.#stream;
    stream.write(bytes);
    const finished = new Promise<void>((resolve) => stream.flush(constants.Z_FINISH, resolve));
    await Promise.race([finished, this.#failed.promise]);
    const parts = this.#parts;
    this.#parts = [];
    stream.reset();
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  close(): void {
    this.#stream.close();
  }
}

/** What the texts of one chunk were. */
export async function inflateTexts(chunk: Buffer): Promise<Buffer> {
  return await inflate(chunk);
}
