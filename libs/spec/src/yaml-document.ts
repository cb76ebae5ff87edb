import { type Issue, SpecError } from '@runnel/core';
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument as parseYaml,
  visit,
} from 'yaml';
import type { ParsedDocument, Position } from './document.ts';
import { maxDepth } from './guard.ts';
import type { Path } from './issue-list.ts';

/** 20,000 tasks in YAML take seconds to parse; JSON of any size is quick. */
const maxYamlLength = 2_000_000;
/** Each alias searches the document for its anchor, and aliases of aliases unfold without end. */
const maxAliases = 100;

/** Reads YAML 1.2; throws SpecError with a position where it can't. */
export function readYaml(text: string): ParsedDocument {
  if (text.length > maxYamlLength) {
    const message = `YAML of more than ${maxYamlLength / 1e6} MB is not read: send it as JSON, which has no such limit`;
    throw unreadable({ path: [], message });
  }
  const lines = new LineCounter();
  guardYaml(() => checkTokens(text));
  const document = guardYaml(() =>
    // The parser's own search for doubled names compares each with each: 9 s for 20,000 names.
    parseYaml(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false }),
  );
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const message = `not valid YAML: ${problem.message}`;
    throw unreadable({ path: [], message, ...toPosition(lines, problem.pos[0]) });
  }
  checkNames(document, lines);
  const value: unknown = guardYaml(() => document.toJS({ maxAliasCount: maxAliases }));
  return {
    value,
    locate(path) {
      const offset = findOffset(document.contents, path);
      return offset === undefined ? undefined : toPosition(lines, offset);
    },
  };
}

/** Refuses, before the parser recurses, what would take it very long. */
function checkTokens(text: string): void {
  let depth = 0;
  let aliases = 0;
  let isTooDeep = longRunOfMarks.test(text);
  const tokens = isTooDeep ? [] : new Lexer().lex(text);
  for (const token of tokens) {
    if (token === '[' || token === '{') isTooDeep = ++depth > maxDepth;
    else if (token === ']' || token === '}') depth--;
    else if (token.startsWith('*')) aliases++;
    if (isTooDeep) break;
  }
  if (isTooDeep) throw unreadable({ path: [], message: `nested deeper than ${maxDepth} levels` });
  if (aliases > maxAliases) {
    throw unreadable({ path: [], message: `more than ${maxAliases} aliases (*name)` });
  }
}

/** `- - - - x`: a list in a list in a list. */
const longRunOfMarks = new RegExp(`(?:[-?][ \\t]+){${maxDepth + 1}}`);

function checkNames(root: ReturnType<typeof parseYaml>, lines: LineCounter): void {
  visit(root, {
    Map(_, map) {
      const names = new Set<string>();
      for (const pair of map.items) {
        if (isMap(pair.key)) {
          const message = 'a name can not be an object: put a template in quotes, "{{NAME}}"';
          throw unreadable({ path: [], message, ...toPosition(lines, startOf(pair.key) ?? 0) });
        }
        const name = nameOf(pair.key);
        if (names.has(name)) {
          const message = `the name ${JSON.stringify(name)} is used twice in one object`;
          throw unreadable({ path: [], message, ...toPosition(lines, startOf(pair.key) ?? 0) });
        }
        names.add(name);
      }
    },
  });
}

/** The parser recurses: very deep text ends its stack. */
function guardYaml<T>(read: () => T): T {
  try {
    return read();
  } catch (error: unknown) {
    if (error instanceof SpecError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const message = error instanceof RangeError ? 'nested too deep' : `not valid YAML: ${reason}`;
    throw unreadable({ path: [], message }, error);
  }
}

function findOffset(root: unknown, path: Path): number | undefined {
  let node: unknown = root;
  let offset = startOf(node);
  for (const part of path) {
    if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node);
    } else if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && nameOf(item.key) === String(part));
      node = pair?.value;
      offset = startOf(pair?.key);
    } else {
      return undefined;
    }
  }
  return offset;
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function unreadable(issue: Issue, cause?: unknown): SpecError {
  return new SpecError([issue], 'SPEC_UNREADABLE', cause === undefined ? undefined : { cause });
}
