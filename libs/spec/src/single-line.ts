import { maxTaskIdBytes } from '@runnel/core';
import type { SingleTasks } from './single-tasks.ts';

/** A task as it stands in a line, with its id and its parents taken out. */
export interface TaskLine {
  /** The number of its id; -1 where it has none. */
  readonly name: number;
  readonly parents: readonly number[];
  /** All else of the line: equal texts are the same but for id and parents. */
  readonly common: string;
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const noParents: readonly number[] = [];
/** In no JSON text: between the pieces of `common`. */
const cut = '\0';

/**
 * Reads a line of the most usual spelling without JSON.parse, whose objects would take half of the
 * time: `id` is a plain text, `parents` a list of classes and `{ "id": … }`. Null for any other. The
 * rest of the line is not looked at: it is right where it equals that of a line that was read in full.
 */
export function readTaskLine(text: string, tasks: SingleTasks): TaskLine | null {
  const scan = new LineScan(text, tasks);
  return scan.read() ? scan : null;
}

class LineScan implements TaskLine {
  name = -1;
  parents = noParents;
  common = '';
  readonly #text: string;
  readonly #tasks: SingleTasks;
  #at = 0;
  /** Up to here the line is in `common`, or left out of it. */
  #told = 0;
  #hasParents = false;

  constructor(text: string, tasks: SingleTasks) {
    this.#text = text;
    this.#tasks = tasks;
  }

  read(): boolean {
    if (!this.#take(openBrace)) return false;
    do {
      if (!this.#readField()) return false;
    } while (this.#take(comma));
    if (!this.#take(closeBrace)) return false;
    this.common += this.#text.slice(this.#told);
    return true;
  }

  #readField(): boolean {
    const key = this.#takeText();
    if (key === null || !this.#take(colon)) return false;
    this.#skipSpace();
    if (key === 'id') return this.#readId();
    if (key === 'parents') return this.#readParents();
    // Children are rare, and the text of a key with an escape is not what it says.
    return key !== 'children' && !key.includes('\\') && this.#skipValue();
  }

  #readId(): boolean {
    const start = this.#at;
    const id = this.#takeText();
    if (id === null || this.name !== -1 || !isUsualId(id)) return false;
    this.name = this.#tasks.nameOf(id);
    this.#leaveOut(start);
    return true;
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
      const name = this.#takeText();
      return name !== null && isUsualName(name) ? this.#tasks.packRef(name) : -1;
    }
    if (this.#takeText() !== 'id' || !this.#take(colon)) return -1;
    const id = this.#takeText();
    if (id === null || !isUsualName(id) || !this.#take(closeBrace)) return -1;
    return this.#tasks.packRef({ id });
  }

  #leaveOut(start: number): void {
    this.common += this.#text.slice(this.#told, start) + cut;
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

  /** What stands between two quotes, escapes and all; null where there is no text. */
  #takeText(): string | null {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== quote) return null;
    const end = this.#text.indexOf('"', this.#at + 1);
    if (end === -1) return null;
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  /** A text, a number or a word; lists and objects take the long way. */
  #skipValue(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === quote) {
      const text = this.#takeText();
      return text !== null && !text.includes('\\');
    }
    if (code === openBrace || code === openBracket) return this.#skipNested();
    for (;;) {
      const next = this.#text.charCodeAt(this.#at);
      if (next === comma || next === closeBrace) return true;
      if (Number.isNaN(next)) return false;
      this.#at++;
    }
  }

  #skipNested(): boolean {
    for (let depth = 0; this.#at < this.#text.length; ) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === quote) {
        if (this.#takeText()?.includes('\\') !== false) return false;
        continue;
      }
      this.#at++;
      if (code === openBrace || code === openBracket) depth++;
      else if ((code === closeBrace || code === closeBracket) && --depth === 0) return true;
    }
    return false;
  }
}

/** As `taskIdField` wants it, and without anything that JSON would escape. */
function isUsualId(id: string): boolean {
  return /^[!#-[\]-~]{1,200}$/.test(id) && /\D/.test(id);
}

function isUsualName(name: string): boolean {
  return name !== '' && name.length <= maxTaskIdBytes && /^[ !#-[\]-~]*$/.test(name);
}
