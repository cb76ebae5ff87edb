const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const nothing = Buffer.from('null');
/** A longer key is another one. */
const mostKeyBytes = 64;

/** A JSON object as it comes, with null in place of one of its fields: that may be larger than all that is held. */
export class WithoutField {
  readonly #name: string;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isBeforeColon = false;
  #isDropping = false;
  #key = '';

  constructor(name: string) {
    this.#name = name;
  }

  /** What is left of the next piece. */
  take(piece: Buffer): Buffer {
    const kept: Buffer[] = [];
    let from = 0;
    for (const [at, byte] of piece.entries()) {
      const wasDropping = this.#isDropping;
      this.#step(byte);
      if (wasDropping && !this.#isDropping) from = at;
      if (!wasDropping && this.#isDropping) kept.push(piece.subarray(from, at + 1), nothing);
    }
    if (!this.#isDropping) kept.push(piece.subarray(from));
    return Buffer.concat(kept);
  }

  #step(byte: number): void {
    if (this.#isInString) this.#stepInString(byte);
    else if (byte === quote) {
      this.#isInString = true;
      this.#key = '';
    } else if (openings.has(byte)) {
      this.#depth++;
      this.#isBeforeColon = this.#depth === 1;
    } else if (closings.has(byte)) {
      if (this.#depth === 1) this.#isDropping = false;
      this.#depth--;
    } else if (this.#depth === 1) this.#stepBetweenFields(byte);
  }

  #stepInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
    const isOfKey = this.#isInString && this.#isBeforeColon && this.#key.length <= mostKeyBytes;
    if (isOfKey) this.#key += String.fromCharCode(byte);
  }

  #stepBetweenFields(byte: number): void {
    if (byte === comma) {
      this.#isBeforeColon = true;
      this.#isDropping = false;
    } else if (byte === colon && this.#isBeforeColon) {
      this.#isBeforeColon = false;
      this.#isDropping = this.#key === this.#name;
    }
  }
}
