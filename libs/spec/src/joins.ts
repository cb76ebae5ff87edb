import type { Steps } from '@runnel/core';
import { valueKey } from './axes.ts';
import { baseOf, type Entry, pathOf, taskName } from './entry.ts';
import type { IssueList, Path } from './issue-list.ts';
import { type Link, pathOfOrigin } from './links.ts';
import { type Column, codeAt, type Table } from './table.ts';

export type MatchLink = Extract<Link, { kind: 'match' }>;

/** Which tasks of the parents each task of the child is matched with. */
export interface Join {
  readonly parts: readonly JoinPart[];
  /** How many edges all of it is. */
  readonly edgeCount: number;
  /** True where no task has more than one counterpart, and all parameters of the parent match. */
  readonly isSingle: boolean;
}

interface JoinPart {
  readonly parent: Entry;
  /** Of each row of the child; -1 where no parent has the same values. */
  readonly childKeys: Int32Array;
  /** Rows of the parent by key: `rows[starts[key] … starts[key + 1])`, ascending. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

/** Calls `visit` with the number of each task that a row of the child is matched with. */
export function visitMatches(join: Join, row: number, visit: (id: number) => void): void {
  for (const { parent, childKeys, starts, rows } of join.parts) {
    const key = childKeys[row] ?? -1;
    if (key < 0) continue;
    const end = starts[key + 1] ?? 0;
    for (let at = starts[key] ?? 0; at < end; at++) visit(parent.firstId + (rows[at] ?? 0));
  }
}

/** Classes of thousands of entries on both sides would be compared entry by entry for hours. */
const maxPairs = 1_000_000;

/** Matches tasks by equal values, and notes those that have no counterpart. */
export class Joiner {
  readonly #issues: IssueList;
  /** For links written as `children`: which tasks of the writer have found a child. */
  readonly #covered = new Map<string, { readonly link: MatchLink; readonly rows: Uint8Array }>();

  #pairCount = 0;

  constructor(issues: IssueList) {
    this.#issues = issues;
  }

  /** Undefined where the parameters don't fit, which is noted. */
  *join(child: Entry, link: MatchLink): Steps<Join | undefined> {
    const { class: set, entry } = link.parents;
    if (!this.#countPairs(link)) return undefined;
    const parts: JoinPart[] = [];
    const counts = new Uint32Array(child.table.count);
    let coversAxes = true;
    for (const parent of entry === null ? set.entries : [entry]) {
      if (!parent.isSound || !child.isSound) return undefined;
      const axes = this.#axesOf(child, parent, link);
      if (axes === undefined) return undefined;
      const part = yield* matchRows(child, parent, axes);
      parts.push(part);
      coversAxes &&= axes.length === parent.table.columns.length;
      countMatches(part, counts);
      yield;
    }
    const join: Join = { parts, ...summarize(counts), isSingle: coversAxes && isSingle(counts) };
    this.#checkCounterparts(child, link, { join, counts });
    return join;
  }

  #countPairs({ parents, origin }: MatchLink): boolean {
    const before = this.#pairCount;
    this.#pairCount += parents.entry === null ? parents.class.entries.length : 1;
    if (this.#pairCount <= maxPairs) return true;
    if (before <= maxPairs) {
      const message = `more than ${maxPairs} pairs of entries are to be matched: use parameters in place of entries`;
      this.#issues.add(pathOfOrigin(origin), message);
    }
    return false;
  }

  #axesOf(child: Entry, parent: Entry, link: MatchLink): readonly string[] | undefined {
    const ofParent = parent.table.columns.map((column) => column.name);
    const ofChild = new Set(child.table.columns.map((column) => column.name));
    const path = [...pathOfOrigin(link.origin), 'match'];
    if (link.axes === true) {
      const shared = ofParent.filter((name) => ofChild.has(name));
      if (shared.length > 0) return shared;
      const names = `${quote(child)} and ${quote(parent)}`;
      this.#issues.add(path, `${names} share no parameter that could match`);
      return undefined;
    }
    const isKnown = link.axes.every((name, index) => {
      const lacks = ofChild.has(name) ? parent : child;
      if (lacks === parent && ofParent.includes(name)) return true;
      const message = `${quote(lacks)} does not use the parameter ${JSON.stringify(name)}`;
      this.#issues.add([...path, index], message);
      return false;
    });
    return isKnown ? [...new Set(link.axes)] : undefined;
  }

  #checkCounterparts(
    child: Entry,
    link: MatchLink,
    { join, counts }: { readonly join: Join; readonly counts: Uint32Array },
  ): void {
    if (link.isOptional) return;
    if (link.origin.side === 'children') {
      this.#cover(child, link, join);
      return;
    }
    const path = pathOfOrigin(link.origin);
    addMissing(child, counts, { path, other: link.parents.class.name, issues: this.#issues });
  }

  #cover(child: Entry, link: MatchLink, join: Join): void {
    const { entry, position } = link.origin;
    const key = `${entry.index} ${position}`;
    const rows = this.#covered.get(key)?.rows ?? new Uint8Array(entry.table.count);
    this.#covered.set(key, { link, rows });
    for (let row = 0; row < child.table.count; row++) {
      visitMatches(join, row, (id) => {
        rows[id - entry.firstId] = 1;
      });
    }
  }

  /** To be called once, after every join: a child may come from any entry of its class. */
  checkChildren(): void {
    for (const { link, rows } of this.#covered.values()) {
      const { entry, side, position } = link.origin;
      const ref = entry[side][position];
      const other = typeof ref === 'object' && 'class' in ref ? ref.class : '';
      const path = pathOf(entry, side, position);
      addMissing(entry, rows, { path, other, issues: this.#issues });
    }
  }
}

function addMissing(
  entry: Entry,
  counts: Uint8Array | Uint32Array,
  { path, other, issues }: { path: Path; other: string; issues: IssueList },
): void {
  const first = counts.indexOf(0);
  if (first === -1) return;
  let missing = 0;
  for (const count of counts) missing += count === 0 ? 1 : 0;
  const others = missing === 2 ? 'has 1 other' : `have ${missing - 1} others`;
  const more = missing === 1 ? '' : ` (nor ${others})`;
  const name = JSON.stringify(taskName(entry, first));
  issues.add(
    path,
    `${name} has no counterpart in ${JSON.stringify(other)}${more}; "optional: true" allows that`,
  );
}

function quote(entry: Entry): string {
  return JSON.stringify(baseOf(entry));
}

function countMatches({ childKeys, starts }: JoinPart, counts: Uint32Array): void {
  for (const [row, key] of childKeys.entries()) {
    if (key < 0) continue;
    counts[row] = (counts[row] ?? 0) + (starts[key + 1] ?? 0) - (starts[key] ?? 0);
  }
}

function summarize(counts: Uint32Array): { edgeCount: number } {
  return { edgeCount: counts.reduce((sum, count) => sum + count, 0) };
}

function isSingle(counts: Uint32Array): boolean {
  return counts.every((count) => count <= 1);
}

function* matchRows(child: Entry, parent: Entry, axes: readonly string[]): Steps<JoinPart> {
  const keys = yield* numberKeys(child.table, parent.table, axes);
  const starts = new Uint32Array(keys.count + 1);
  for (const key of keys.ofParent) starts[key + 1] = (starts[key + 1] ?? 0) + 1;
  for (let key = 0; key < keys.count; key++) {
    starts[key + 1] = (starts[key + 1] ?? 0) + (starts[key] ?? 0);
  }
  yield;
  const next = starts.slice();
  const rows = new Uint32Array(parent.table.count);
  for (const [row, key] of keys.ofParent.entries()) {
    const at = next[key] ?? 0;
    rows[at] = row;
    next[key] = at + 1;
  }
  yield;
  return { parent, childKeys: Int32Array.from(keys.ofChild), starts, rows };
}

/** Doubles: a key is multiplied before it is made small again. */
interface Keys {
  count: number;
  readonly ofParent: Float64Array;
  readonly ofChild: Float64Array;
}

/** One number for the values of all matched parameters, taken in axis by axis. */
function* numberKeys(child: Table, parent: Table, axes: readonly string[]): Steps<Keys> {
  const keys: Keys = {
    count: 1,
    ofParent: new Float64Array(parent.count),
    ofChild: new Float64Array(child.count),
  };
  for (const axis of axes) {
    const ofParent = parent.columns.findIndex((column) => column.name === axis);
    const ofChild = child.columns.findIndex((column) => column.name === axis);
    const size = parent.columns[ofParent]?.values.length ?? 1;
    const translate = translateCodes(child.columns[ofChild], parent.columns[ofParent]);
    for (let row = 0; row < parent.count; row++) {
      keys.ofParent[row] = (keys.ofParent[row] ?? 0) * size + codeAt(parent, row, ofParent);
    }
    yield;
    for (let row = 0; row < child.count; row++) {
      const code = translate(codeAt(child, row, ofChild));
      const before = keys.ofChild[row] ?? -1;
      keys.ofChild[row] = before < 0 || code < 0 ? -1 : before * size + code;
    }
    keys.count *= size;
    compactKeys(keys);
    yield;
  }
  return keys;
}

/** Codes of the child's column in the parent's; the same list needs no translation. */
function translateCodes(
  from: Column | undefined,
  to: Column | undefined,
): (code: number) => number {
  if (from === undefined || to === undefined) return () => -1;
  if (from.values === to.values) return (code) => code;
  const codes = new Map(to.values.map((value, code) => [valueKey(value), code]));
  const table = Int32Array.from(from.values, (value) => codes.get(valueKey(value)) ?? -1);
  return (code) => table[code] ?? -1;
}

/** Keeps keys small: those that no parent has are left out. */
function compactKeys(keys: Keys): void {
  if (keys.count <= 4 * keys.ofParent.length + 1024) return;
  const numbers = new Map<number, number>();
  for (const [row, key] of keys.ofParent.entries()) {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    keys.ofParent[row] = number;
  }
  for (const [row, key] of keys.ofChild.entries()) keys.ofChild[row] = numbers.get(key) ?? -1;
  keys.count = numbers.size;
}
