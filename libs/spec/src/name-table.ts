import { GrowingInts } from './growing-ints.ts';

const firstSlots = 512;
const firstBytes = 8_192;
const firstHash = 0x811c9dc5;

/**
 * Gives each text a number, counted from 0: a hash table with open addressing over typed arrays. The
 * texts stand in one block of bytes and are compared there, so equal hashes do no harm. A million
 * ids take about 30 MB, of which a Map of strings would take five times as much.
 */
export class NameTable {
  #bytes = Buffer.alloc(firstBytes);
  #byteCount = 0;
  readonly #starts = new GrowingInts();
  /**
   * Pairs: the number and one more, 0 where the slot is free; and the hash, so that most others are
   * told apart without a look at their bytes. A power of two, at most half of it used.
   */
  #slots = new Uint32Array(firstSlots * 2);
  /** The text that is looked for, and its hash so far: bytes of others, or those below. */
  #wanted: Uint8Array;
  #wantedStart = 0;
  #wantedLength = 0;
  #hash = firstHash;
  /** What is put together from parts. */
  #built = new Uint8Array(1024);
  /** True as long as nothing else was looked for. */
  #isAscii = true;

  constructor() {
    this.#wanted = this.#built;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** The number of a text; a new one where it is not known yet. */
  intern(text: string): number {
    this.begin();
    this.append(text, 0, text.length);
    return this.internBuilt();
  }

  /** The number of a text; -1 where it is not known. */
  find(text: string): number {
    this.begin();
    this.append(text, 0, text.length);
    return this.findBuilt();
  }

  /** As `intern`, of ASCII that stands in other bytes: nothing is copied where it is known. */
  internBytes(bytes: Uint8Array, start: number, end: number): number {
    let hash = firstHash;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    this.#wanted = bytes;
    this.#wantedStart = start;
    this.#wantedLength = end - start;
    this.#hash = hash;
    return this.internBuilt();
  }

  /** Begins a text that is put together from parts. */
  begin(): void {
    this.#wanted = this.#built;
    this.#wantedStart = 0;
    this.#wantedLength = 0;
    this.#hash = firstHash;
  }

  /** Puts a part of another text to its end: FNV-1a over the UTF-16 units, bytes as `decode` reads them. */
  append(text: string, start: number, end: number): void {
    this.#reserve((end - start) * 3);
    const built = this.#built;
    let length = this.#wantedLength;
    let hash = this.#hash;
    for (let index = start; index < end; index++) {
      const unit = text.charCodeAt(index);
      if (unit < 0x80) {
        built[length++] = unit;
      } else {
        this.#isAscii = false;
        built[length++] = 0x80 | (unit >>> 12);
        built[length++] = (unit >>> 6) & 0x3f;
        built[length++] = unit & 0x3f;
      }
      hash = Math.imul(hash ^ unit, 0x01000193);
    }
    this.#wantedLength = length;
    this.#hash = hash;
  }

  /** Puts bytes to its end; those that are not ASCII are not those that `append` makes of the same text. */
  appendBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    const built = this.#built;
    let length = this.#wantedLength;
    let hash = this.#hash;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      built[length++] = byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    this.#wantedLength = length;
    this.#hash = hash;
  }

  #reserve(bytes: number): void {
    const needed = this.#wantedLength + bytes;
    if (needed <= this.#built.length) return;
    const larger = new Uint8Array(needed * 2);
    larger.set(this.#built);
    this.#built = larger;
    this.#wanted = larger;
  }

  /** As `find`, of the text that was put together. */
  findBuilt(): number {
    return (this.#slots[this.#slotOf(this.#mixedHash())] ?? 0) - 1;
  }

  /** As `intern`, of the text that was put together. */
  internBuilt(): number {
    const hash = this.#mixedHash();
    const slot = this.#slotOf(hash);
    const taken = this.#slots[slot] ?? 0;
    if (taken !== 0) return taken - 1;
    const number = this.count;
    this.#starts.push(this.#byteCount);
    this.#store();
    this.#slots[slot] = number + 1;
    this.#slots[slot + 1] = hash;
    if (this.count * 4 > this.#slots.length) this.#growSlots();
    return number;
  }

  /** Its low bits alone would fall together in the slots. */
  #mixedHash(): number {
    const hash = Math.imul(this.#hash ^ (this.#hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  text(number: number): string {
    const start = this.#starts.at(number);
    const end = this.#endOf(number);
    return this.#isAscii
      ? this.#bytes.toString('latin1', start, end)
      : decode(this.#bytes.subarray(start, end));
  }

  #endOf(number: number): number {
    return number + 1 < this.count ? this.#starts.at(number + 1) : this.#byteCount;
  }

  /** Where the wanted text is, or would be. */
  #slotOf(hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash * 2) & mask; ; slot = (slot + 2) & mask) {
      const taken = slots[slot] ?? 0;
      if (taken === 0) return slot;
      if (slots[slot + 1] === hash && this.#isWanted(taken - 1)) return slot;
    }
  }

  #isWanted(number: number): boolean {
    const start = this.#starts.at(number);
    const length = this.#wantedLength;
    if (this.#endOf(number) - start !== length) return false;
    const bytes = this.#bytes;
    const wanted = this.#wanted;
    const from = this.#wantedStart;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== wanted[from + index]) return false;
    }
    return true;
  }

  #store(): void {
    const end = this.#byteCount + this.#wantedLength;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const from = this.#wantedStart;
    this.#bytes.set(this.#wanted.subarray(from, from + this.#wantedLength), this.#byteCount);
    this.#byteCount = end;
  }

  #growSlots(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    const mask = slots.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      const taken = old[from] ?? 0;
      const hash = old[from + 1] ?? 0;
      if (taken === 0) continue;
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0) slot = (slot + 2) & mask;
      slots[slot] = taken;
      slots[slot + 1] = hash;
    }
    this.#slots = slots;
  }

  /** Gives up the table, once nothing more is looked for; texts can still be read. */
  close(): void {
    this.#slots = new Uint32Array(firstSlots * 2);
    this.#bytes = Buffer.from(this.#bytes.subarray(0, this.#byteCount));
  }
}

/** ASCII as it is, any other UTF-16 unit in three bytes: exact for every string, lone halves too. */
function decode(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x80) {
      text += String.fromCharCode(byte);
      continue;
    }
    const unit = ((byte & 0x0f) << 12) | ((bytes[index + 1] ?? 0) << 6) | (bytes[index + 2] ?? 0);
    text += String.fromCharCode(unit);
    index += 2;
  }
  return text;
}
