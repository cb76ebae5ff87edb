/** What a helper answers; the letters are explained in command-helper.py. */
export interface Frame {
  readonly kind: string;
  readonly body: Buffer;
}

const headBytes = 5;

/** Larger than any frame of a helper: what claims to be more was not written by one. */
const maxBodyBytes = 1_048_576;

/** Cuts the bytes of a helper's stdout into frames. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Null until the next frame is complete. Throws where the bytes can't be frames. */
  next(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < headBytes) return null;
    const bodyBytes = bytes.readUInt32BE(1);
    if (bodyBytes > maxBodyBytes) {
      throw new Error(`it wrote ${JSON.stringify(bytes.toString('utf8', 0, 60))}`);
    }
    const end = headBytes + bodyBytes;
    if (bytes.length < end) return null;
    this.#bytes = bytes.subarray(end);
    return { kind: String.fromCharCode(bytes[0] ?? 0), body: bytes.subarray(headBytes, end) };
  }
}
