import { isJsonObject, type Steps } from '@runnel/core';
import type { IssueList, Path } from './issue-list.ts';
import type { Kind, RawEntry } from './kinds/kind.ts';
import { findKind } from './kinds/kinds.ts';
import { describeInput, parseWith } from './zod-issues.ts';

/** What is known of an entry whose form is wrong, so that others may refer to it. */
export interface BrokenEntry {
  readonly class: unknown;
  readonly id: unknown;
}

/** Takes entries one by one, so that a million are never there twice. */
export interface EntrySink {
  accept(key: number | string, raw: RawEntry, kind: Kind): void;
  reject(broken: BrokenEntry): void;
}

/** Entries between two turns of others. */
const entriesPerStep = 64;

/** Reads `tasks`: a list, or a map by class. */
export function* readEntries(tasks: unknown, issues: IssueList, sink: EntrySink): Steps<void> {
  if (!Array.isArray(tasks) && !isJsonObject(tasks)) {
    const got = tasks === undefined ? 'missing: ' : '';
    const end = tasks === undefined ? '' : `, got ${describeInput(tasks)}`;
    issues.add(['tasks'], `${got}expected a list of tasks or an object of tasks by class${end}`);
    return;
  }
  const target = { issues, sink };
  let count = 0;
  for (const [key, raw] of Array.isArray(tasks) ? tasks.entries() : Object.entries(tasks)) {
    if (typeof key === 'number') readEntry(key, raw, target);
    else readNamedEntry(key, raw, target);
    if (++count % entriesPerStep === 0) yield;
  }
  if (count === 0) issues.add(['tasks'], 'there are no tasks: name at least one');
}

/** Where entries go, and what is wrong with them. */
export interface EntryTarget {
  readonly issues: IssueList;
  readonly sink: EntrySink;
}

function readNamedEntry(name: string, raw: unknown, target: EntryTarget): void {
  if (!isJsonObject(raw)) {
    readEntry(name, raw, target);
    target.sink.reject({ class: name, id: undefined });
    return;
  }
  if (Object.hasOwn(raw, 'class')) {
    const message = 'in an object of tasks the class is the key: leave "class" out';
    target.issues.add(['tasks', name, 'class'], message);
    target.sink.reject({ class: name, id: raw['id'] });
    return;
  }
  readEntry(name, { ...raw, class: name }, target);
}

/** Reads one entry, wherever it comes from. */
export function readEntry(key: number | string, raw: unknown, target: EntryTarget): void {
  const path: Path = ['tasks', key];
  const kind = findKind(isJsonObject(raw) ? raw['kind'] : undefined);
  if (typeof kind === 'string') {
    target.issues.add([...path, 'kind'], kind);
    reject(raw, target);
    return;
  }
  const entry = parseWith(kind.schema, raw, { path, issues: target.issues });
  if (entry === undefined) reject(raw, target);
  else target.sink.accept(key, entry, kind);
}

function reject(raw: unknown, target: EntryTarget): void {
  if (isJsonObject(raw)) target.sink.reject({ class: raw['class'], id: raw['id'] });
}
