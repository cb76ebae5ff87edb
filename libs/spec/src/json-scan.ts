import { type Issue, SpecError } from '@runnel/core';
import type { Path } from './issue-list.ts';

/** What a scan of JSON text tells: where each key and each value stands. */
export interface JsonVisitor {
  /** A name in an object; `path` ends in it and is reused by the scanner. */
  key(path: Path, offset: number): void;
  /** A value of any type begins. */
  value(path: Path, offset: number): void;
}

interface Frame {
  readonly isArray: boolean;
  readonly keys: Set<string>;
}

interface Scan {
  readonly text: string;
  readonly visitor: JsonVisitor;
  readonly frames: Frame[];
  readonly path: (string | number)[];
  expectsKey: boolean;
}

/**
 * Walks over JSON text that JSON.parse has accepted, without recursion.
 *
 * Throws SpecError where an object has a name twice: JSON.parse would silently take the last.
 */
export function scanJson(text: string, visitor: JsonVisitor): void {
  const scan: Scan = { text, visitor, frames: [], path: [], expectsKey: false };
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^\s[\]{},:"]+/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    enterToken(scan, match[0], match.index);
  }
}

function enterToken(scan: Scan, word: string, offset: number): void {
  switch (word) {
    case '{':
    case '[':
      scan.visitor.value(scan.path, offset);
      scan.frames.push({ isArray: word === '[', keys: new Set() });
      scan.path.push(word === '[' ? 0 : '');
      scan.expectsKey = word === '{';
      return;
    case '}':
    case ']':
      scan.frames.pop();
      scan.path.pop();
      scan.expectsKey = false;
      return;
    case ',':
      scan.expectsKey = scan.frames.at(-1)?.isArray === false;
      if (!scan.expectsKey) scan.path.push(Number(scan.path.pop()) + 1);
      return;
    case ':':
      return;
    default:
      if (scan.expectsKey) enterKey(scan, word, offset);
      else scan.visitor.value(scan.path, offset);
  }
}

function enterKey(scan: Scan, word: string, offset: number): void {
  const name = String(JSON.parse(word));
  const keys = scan.frames.at(-1)?.keys;
  scan.path[scan.path.length - 1] = name;
  if (keys?.has(name) === true) {
    const message = `the name ${JSON.stringify(name)} is used twice in one object`;
    const issue = { path: [...scan.path], message, ...positionOf(scan.text, offset) };
    throw new SpecError([issue], 'SPEC_UNREADABLE');
  }
  keys?.add(name);
  scan.visitor.key(scan.path, offset);
  scan.expectsKey = false;
}

/** Beyond so much text, objects are not searched for names that are there twice. */
export const maxScannedLength = 2_000_000;

/** Throws SpecError where an object has a name twice; for text that JSON.parse has accepted. */
export function checkNames(text: string): void {
  scanJson(text, { key: () => undefined, value: () => undefined });
}

/** Line and column, from 1, of an offset. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/** The offset at which JSON.parse stopped, from its message or by cutting the text. */
export function issueOfSyntaxError(text: string, error: unknown): Issue {
  const message = error instanceof Error ? error.message : String(error);
  const at = /position (\d+)/.exec(message)?.[1];
  const words = message
    .replace(/(?: in JSON)? at position.*$/, '')
    .replace(/,? ?(?:\.\.\.)?".*is not valid JSON$/s, '');
  const offset = at === undefined ? guessOffset(text, message) : Number(at);
  return { path: [], message: `not valid JSON: ${words}`, ...positionOf(text, offset) };
}

/** V8 gives short texts and unexpected ends no position. */
function guessOffset(text: string, message: string): number {
  const char = /^Unexpected token '(.)'/u.exec(message)?.[1];
  // In a string it would be no error.
  const bare = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, (found) => ' '.repeat(found.length));
  const at = char === undefined ? -1 : bare.indexOf(char);
  return at === -1 ? text.length : at;
}
