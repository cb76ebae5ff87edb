import type { Steps } from '@runnel/core';
import { GrowingInts } from './growing-ints.ts';
import type { TextRange } from './single-line.ts';

/** JSON text of a spec, cut into its tasks without being read. */
export interface SplitSpec {
  /** The spec with `null` in place of its tasks. */
  readonly head: string;
  readonly count: number;
  /** Where one task stands. */
  taskAt(index: number): TextRange;
}

/** Tasks between two turns of others. */
const tasksPerStep = 1024;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;

/**
 * Finds where the tasks of a spec stand, if they are a list. Null where the text is no spec of the
 * usual form, or no JSON: who reads it in full says what it is. What is cut out is not checked.
 */
export function* splitSpec(text: string): Steps<SplitSpec | null> {
  const scan = new Scan(text);
  if (!scan.take('{')) return null;
  let tasks: FoundTasks | null = null;
  do {
    const key = scan.takeKey();
    if (key === null || (key === 'tasks' && tasks !== null)) return null;
    if (key === 'tasks') {
      tasks = yield* findTasks(scan);
      if (tasks === null) return null;
    } else if (!scan.skipValue()) return null;
  } while (scan.take(','));
  if (!scan.take('}') || !scan.isAtEnd() || tasks === null) return null;
  const { start, end, starts, ends } = tasks;
  return {
    head: `${text.slice(0, start)}null${text.slice(end)}`,
    count: starts.length,
    taskAt: (index) => ({ text, start: starts.at(index), end: ends.at(index) }),
  };
}

interface FoundTasks {
  readonly start: number;
  readonly end: number;
  readonly starts: GrowingInts;
  readonly ends: GrowingInts;
}

function* findTasks(scan: Scan): Steps<FoundTasks | null> {
  const start = scan.skipSpace();
  const starts = new GrowingInts();
  const ends = new GrowingInts();
  if (!scan.take('[')) return null;
  do {
    starts.push(scan.skipSpace());
    if (!scan.skipValue()) return null;
    ends.push(scan.at);
    if (starts.length % tasksPerStep === 0) yield;
  } while (scan.take(','));
  return scan.take(']') ? { start, end: scan.at, starts, ends } : null;
}

/** A place in a text that goes forward over whole values. */
class Scan {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  skipSpace(): number {
    while (this.#text.charCodeAt(this.at) <= 0x20) this.at++;
    return this.at;
  }

  take(char: string): boolean {
    this.skipSpace();
    if (this.#text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  isAtEnd(): boolean {
    return this.skipSpace() >= this.#text.length;
  }

  /** A key and its colon; null where it is none, or is spelled with escapes. */
  takeKey(): string | null {
    const start = this.skipSpace();
    if (this.#text.charCodeAt(start) !== quote || !this.#skipString()) return null;
    const key = this.#text.slice(start + 1, this.at - 1);
    return key.includes('\\') || !this.take(':') ? null : key;
  }

  /** False where the text ends in it, or nothing is there. */
  skipValue(): boolean {
    const start = this.skipSpace();
    const char = this.#text[start];
    if (char === '"') return this.#skipString();
    if (char === '{' || char === '[') return this.#skipNested();
    while (!isEnd(this.#text.charCodeAt(this.at))) this.at++;
    return this.at > start;
  }

  #skipString(): boolean {
    for (;;) {
      const end = this.#text.indexOf('"', this.at + 1);
      if (end === -1) return false;
      this.at = end;
      let escapes = 0;
      while (this.#text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
      if (escapes % 2 === 0) {
        this.at = end + 1;
        return true;
      }
    }
  }

  #skipNested(): boolean {
    let depth = 0;
    for (; this.at < this.#text.length; this.at++) {
      const code = this.#text.charCodeAt(this.at);
      if (code === quote) {
        if (!this.#skipString()) return false;
        this.at--;
      } else if (isOpening(code)) depth++;
      else if (isClosing(code) && --depth === 0) {
        this.at++;
        return true;
      }
    }
    return false;
  }
}

/** `{` or `[`. */
function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

/** `}` or `]`. */
function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/** Of a number or a word. */
function isEnd(code: number): boolean {
  return Number.isNaN(code) || code <= 0x20 || code === comma || isClosing(code);
}
