import { maxTaskIdBytes } from '@runnel/core';
import { NameTable } from './name-table.ts';
import { packId, type SingleTasks } from './single-tasks.ts';

/** A part of a text, in UTF-8. */
export interface ByteRange {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const letterU = 0x75;

const id = Buffer.from('id');
const parents = Buffer.from('parents');
const details = Buffer.from('details');
const children = Buffer.from('children');

const noParents: readonly number[] = [];
const maxIdLength = 200;
/** In no JSON text: stands for what is left out of one. */
const gap = Uint8Array.of(0);

/**
 * Reads tasks of the most usual spelling without JSON.parse, whose objects would take most of the
 * time: `id` is a plain text, `parents` a list of classes and `{ "id": … }`. Of `details` it is told
 * where they stand. The rest of the task is not looked at: it is right where it equals that of a task
 * that was read in full, so all rests that are known have a number.
 */
export class PlainReader {
  /** The number of the id; -1 where there is none. */
  name = -1;
  parents = noParents;
  /** Where the details stand; equal where there are none. */
  detailsStart = 0;
  detailsEnd = 0;
  readonly #tasks: SingleTasks;
  readonly #rests = new NameTable();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** Up to here the text is in the rest, or left out of it. */
  #told = 0;
  #hasParents = false;
  /** Of the text between quotes that was read last. */
  #from = 0;
  #to = 0;
  #isDigits = false;
  #hasSpace = false;

  constructor(tasks: SingleTasks) {
    this.#tasks = tasks;
  }

  /** False where the task is spelled in another way; else all that is told of it is there. */
  read({ bytes, start, end }: ByteRange): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#told = start;
    this.name = -1;
    this.parents = noParents;
    this.#hasParents = false;
    this.detailsStart = 0;
    this.detailsEnd = 0;
    this.#rests.begin();
    if (!this.#readFields()) return false;
    this.#rests.appendBytes(bytes, this.#told, end);
    return true;
  }

  /** The number of the rest of the task that was read last; -1 where it is not known. */
  findRest(): number {
    return this.#rests.findBuilt();
  }

  /** Makes the rest of the task that was read last known. */
  addRest(): number {
    return this.#rests.internBuilt();
  }

  #readFields(): boolean {
    if (!this.#take(openBrace)) return false;
    do {
      if (!this.#readField()) return false;
    } while (this.#take(comma));
    return this.#take(closeBrace);
  }

  #readField(): boolean {
    // The text of a key with an escape would not be what it says.
    if (!this.#takePlain()) return false;
    const from = this.#from;
    const length = this.#to - from;
    if (!this.#take(colon)) return false;
    this.#skipSpace();
    if (this.#isAt(from, length, id)) return this.#readId();
    if (this.#isAt(from, length, parents)) return this.#readParents();
    if (this.#isAt(from, length, details)) return this.#readDetails();
    if (this.#isAt(from, length, children)) return false;
    return this.#skipValue();
  }

  #isAt(at: number, length: number, key: Uint8Array): boolean {
    if (length !== key.length) return false;
    for (let index = 0; index < length; index++) {
      if (this.#bytes[at + index] !== key[index]) return false;
    }
    return true;
  }

  #readId(): boolean {
    const start = this.#at;
    if (this.name !== -1 || !this.#takePlain()) return false;
    if (this.#isDigits || this.#hasSpace || this.#to - this.#from > maxIdLength) return false;
    this.name = this.#tasks.nameIn(this.#bytes, this.#from, this.#to);
    this.#leaveOut(start);
    return true;
  }

  #readParents(): boolean {
    const start = this.#at;
    if (this.#hasParents || !this.#take(openBracket)) return false;
    this.#hasParents = true;
    const refs: number[] = [];
    while (!this.#take(closeBracket)) {
      if (refs.length > 0 && !this.#take(comma)) return false;
      const ref = this.#readRef();
      if (ref === -1) return false;
      refs.push(ref);
    }
    this.parents = refs;
    this.#leaveOut(start);
    return true;
  }

  #readRef(): number {
    if (!this.#take(openBrace)) {
      if (!this.#takeName()) return -1;
      return this.#tasks.packRef(this.#bytes.toString('latin1', this.#from, this.#to));
    }
    const isId = this.#takePlain() && this.#isAt(this.#from, this.#to - this.#from, id);
    if (!isId || !this.#take(colon) || !this.#takeName()) return -1;
    const name = this.#tasks.nameIn(this.#bytes, this.#from, this.#to);
    return this.#take(closeBrace) ? packId(name) : -1;
  }

  #takeName(): boolean {
    return this.#takePlain() && this.#to > this.#from && this.#to - this.#from <= maxTaskIdBytes;
  }

  #readDetails(): boolean {
    if (this.detailsEnd !== 0) return false;
    this.detailsStart = this.#at;
    if (!this.#skipValue()) return false;
    this.detailsEnd = this.#at;
    this.#leaveOut(this.detailsStart);
    return true;
  }

  #leaveOut(start: number): void {
    this.#rests.appendBytes(this.#bytes, this.#told, start);
    this.#rests.appendBytes(gap, 0, 1);
    this.#told = this.#at;
  }

  #skipSpace(): void {
    while (this.#bytes[this.#at] === 0x20) this.#at++;
  }

  #take(code: number): boolean {
    this.#skipSpace();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== code) return false;
    this.#at++;
    return true;
  }

  /** A text of printable ASCII without escapes: it is what stands between its quotes. */
  #takePlain(): boolean {
    this.#skipSpace();
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at++] !== quote) return false;
    this.#from = at;
    let isDigits = true;
    let hasSpace = false;
    for (; ; at++) {
      const code = bytes[at] ?? 0;
      if (code === quote) break;
      // Neither control characters, nor other letters than ASCII, nor the end of the bytes.
      if (code < 0x20 || code >= 0x7f || code === backslash) return false;
      if (code < 0x30 || code > 0x39) isDigits = false;
      if (code === 0x20) hasSpace = true;
    }
    this.#to = at;
    this.#at = at + 1;
    this.#isDigits = isDigits;
    this.#hasSpace = hasSpace;
    return this.#at <= this.#end;
  }

  #skipValue(): boolean {
    const code = this.#bytes[this.#at];
    if (code === quote) return this.#skipText();
    if (code === openBrace || code === openBracket) return this.#skipNested();
    for (; this.#at < this.#end; this.#at++) {
      const next = this.#bytes[this.#at];
      if (next === comma || next === closeBrace) return true;
    }
    return false;
  }

  /** Any text but one with letters by number, which could hide what they spell. */
  #skipText(): boolean {
    const bytes = this.#bytes;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const code = bytes[at];
      if (code === quote) {
        this.#at = at + 1;
        return true;
      }
      if (code === backslash && bytes[++at] === letterU) return false;
    }
    return false;
  }

  #skipNested(): boolean {
    for (let depth = 0; this.#at < this.#end; ) {
      const code = this.#bytes[this.#at];
      if (code === quote) {
        if (!this.#skipText()) return false;
        continue;
      }
      this.#at++;
      if (code === openBrace || code === openBracket) depth++;
      else if ((code === closeBrace || code === closeBracket) && --depth === 0) return true;
    }
    return false;
  }
}
