import { maxTaskIdBytes } from '@runnel/core';
import { NameTable } from './name-table.ts';
import { packId, type SingleTasks } from './single-tasks.ts';

/** A part of a text. */
export interface TextRange {
  readonly text: string;
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

const noParents: readonly number[] = [];
const maxIdLength = 200;

/**
 * Reads tasks of the most usual spelling without JSON.parse, whose objects would take most of the
 * time: `id` is a plain text, `parents` a list of classes and `{ "id": … }`. The rest of the task is
 * not looked at: it is right where it equals that of a task that was read in full, so all rests that
 * are known have a number.
 */
export class LineReader {
  /** The number of the id; -1 where there is none. */
  name = -1;
  parents = noParents;
  readonly #tasks: SingleTasks;
  readonly #rests = new NameTable();
  #text = '';
  #at = 0;
  /** Up to here the text is in the rest, or left out of it. */
  #told = 0;
  #hasParents = false;
  /** Of the text between quotes that was read last. */
  #from = 0;
  #to = 0;
  #isDigits = false;

  constructor(tasks: SingleTasks) {
    this.#tasks = tasks;
  }

  /** False where the task is spelled in another way; else `name`, `parents` and the rest are there. */
  read({ text, start, end }: TextRange): boolean {
    this.#text = text;
    this.#at = start;
    this.#told = start;
    this.name = -1;
    this.parents = noParents;
    this.#hasParents = false;
    this.#rests.begin();
    if (!this.#readFields() || this.#at > end) return false;
    this.#rests.append(text, this.#told, end);
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
    if (length === 2 && this.#text.startsWith('id', from)) return this.#readId();
    if (length === 7 && this.#text.startsWith('parents', from)) return this.#readParents();
    if (length === 8 && this.#text.startsWith('children', from)) return false;
    return this.#skipValue();
  }

  #readId(): boolean {
    const start = this.#at;
    const isFirst = this.name === -1;
    if (!isFirst || !this.#takePlain()) return false;
    const length = this.#to - this.#from;
    if (this.#isDigits || length > maxIdLength || this.#hasSpace()) return false;
    this.name = this.#tasks.nameIn(this.#text, this.#from, this.#to);
    this.#leaveOut(start);
    return true;
  }

  #hasSpace(): boolean {
    for (let at = this.#from; at < this.#to; at++) {
      if (this.#text.charCodeAt(at) === 0x20) return true;
    }
    return false;
  }

  #readParents(): boolean {
    const start = this.#at;
    if (this.#hasParents || !this.#take(openBracket)) return false;
    this.#hasParents = true;
    const parents: number[] = [];
    while (!this.#take(closeBracket)) {
      if (parents.length > 0 && !this.#take(comma)) return false;
      const ref = this.#readRef();
      if (ref === -1) return false;
      parents.push(ref);
    }
    this.parents = parents;
    this.#leaveOut(start);
    return true;
  }

  #readRef(): number {
    if (!this.#take(openBrace)) {
      if (!this.#takeName()) return -1;
      return this.#tasks.packRef(this.#text.slice(this.#from, this.#to));
    }
    const isId = this.#takePlain() && this.#to - this.#from === 2;
    if (!isId || !this.#text.startsWith('id', this.#from) || !this.#take(colon)) return -1;
    if (!this.#takeName()) return -1;
    const name = this.#tasks.nameIn(this.#text, this.#from, this.#to);
    return this.#take(closeBrace) ? packId(name) : -1;
  }

  #takeName(): boolean {
    return this.#takePlain() && this.#to > this.#from && this.#to - this.#from <= maxTaskIdBytes;
  }

  #leaveOut(start: number): void {
    this.#rests.append(this.#text, this.#told, start);
    // In no JSON text: keeps the pieces apart.
    this.#rests.append('\0', 0, 1);
    this.#told = this.#at;
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) === 0x20) this.#at++;
  }

  #take(code: number): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  /** A text of printable ASCII without escapes: it is what stands between its quotes. */
  #takePlain(): boolean {
    this.#skipSpace();
    const text = this.#text;
    let at = this.#at;
    if (text.charCodeAt(at++) !== quote) return false;
    this.#from = at;
    let isDigits = true;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) break;
      // Neither control characters nor the end of the text, which is NaN.
      if (!(code >= 0x20 && code < 0x7f) || code === backslash) return false;
      if (code < 0x30 || code > 0x39) isDigits = false;
    }
    this.#to = at;
    this.#at = at + 1;
    this.#isDigits = isDigits;
    return true;
  }

  #skipValue(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === quote) return this.#skipText();
    if (code === openBrace || code === openBracket) return this.#skipNested();
    for (;;) {
      const next = this.#text.charCodeAt(this.#at);
      if (next === comma || next === closeBrace) return true;
      if (Number.isNaN(next)) return false;
      this.#at++;
    }
  }

  /** Any text without escapes. */
  #skipText(): boolean {
    for (this.#at++; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === quote) {
        this.#at++;
        return true;
      }
      if (code === backslash || Number.isNaN(code)) return false;
    }
  }

  #skipNested(): boolean {
    for (let depth = 0; ; ) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) return false;
      if (code === quote) {
        if (!this.#skipText()) return false;
        continue;
      }
      this.#at++;
      if (code === openBrace || code === openBracket) depth++;
      else if ((code === closeBrace || code === closeBracket) && --depth === 0) return true;
    }
  }
}
