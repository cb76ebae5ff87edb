import { composeTaskId } from '@runnel/core';
import { baseOf, type Entry, pathOf } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import { rowValues } from './table.ts';

/** All entries that share a class. */
export interface TaskClass {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly taskCount: number;
  /** False where all of it is barriers: these have no outputs. */
  readonly hasTasks: boolean;
}

/** One task: a row of an entry. */
export interface TaskPlace {
  readonly entry: Entry;
  readonly row: number;
}

interface GrowingClass extends TaskClass {
  readonly entries: Entry[];
  taskCount: number;
  hasTasks: boolean;
}

/**
 * Resolves classes and ids. Ids of expanded tasks are composed only where somebody names one, or
 * where two entries could compose the same: a million of them are never strings at once.
 */
export class Names {
  readonly #classes = new Map<string, GrowingClass>();
  /** Entries by the id that they have, or to which values are appended. */
  readonly #bases = new Map<string, Entry | Entry[]>();
  readonly #rowsById = new Map<Entry, Map<string, number>>();

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) {
      this.#addToClass(entry);
      const base = baseOf(entry);
      const others = this.#bases.get(base);
      if (others === undefined) this.#bases.set(base, entry);
      else if (Array.isArray(others)) others.push(entry);
      else this.#bases.set(base, [others, entry]);
    }
  }

  #addToClass(entry: Entry): void {
    const { class: name, table, policy } = entry;
    const known = this.#classes.get(name);
    const hasTasks = policy.kind === 'task';
    if (known === undefined) {
      this.#classes.set(name, { name, entries: [entry], taskCount: table.count, hasTasks });
      return;
    }
    known.entries.push(entry);
    known.taskCount += table.count;
    known.hasTasks ||= hasTasks;
  }

  classOf(name: string): TaskClass | undefined {
    return this.#classes.get(name);
  }

  hasClass(name: string): boolean {
    return this.#classes.has(name);
  }

  hasTask(id: string): boolean {
    return this.findTask(id) !== undefined;
  }

  classNames(): Iterable<string> {
    return this.#classes.keys();
  }

  ids(): Iterable<string> {
    return this.#bases.keys();
  }

  findTask(id: string): TaskPlace | undefined {
    const found = this.#bases.get(id);
    const single = Array.isArray(found) ? found.find(isSingle) : found;
    if (single !== undefined && isSingle(single)) return { entry: single, row: 0 };
    return this.#findExpanded(id);
  }

  /** `clean:CITY=seattle`: any text before a colon may be the id that was expanded. */
  #findExpanded(id: string): TaskPlace | undefined {
    for (let colon = id.indexOf(':'); colon !== -1; colon = id.indexOf(':', colon + 1)) {
      for (const entry of this.#entriesOf(id.slice(0, colon))) {
        const row = this.#rowsOf(entry).get(id);
        if (row !== undefined) return { entry, row };
      }
    }
    return undefined;
  }

  #entriesOf(base: string): readonly Entry[] {
    const found = this.#bases.get(base);
    if (found === undefined) return [];
    return Array.isArray(found) ? found : [found];
  }

  #rowsOf(entry: Entry): Map<string, number> {
    const known = this.#rowsById.get(entry);
    if (known !== undefined) return known;
    const rows = new Map<string, number>();
    const axes = entry.table.columns.map((column) => column.name);
    if (axes.length > 0) {
      for (let row = 0; row < entry.table.count; row++) {
        rows.set(composeTaskId(baseOf(entry), axes, rowValues(entry.table, row)), row);
      }
    }
    this.#rowsById.set(entry, rows);
    return rows;
  }

  /** Notes every id that two entries have. */
  checkIds(issues: IssueList): void {
    for (const [base, found] of this.#bases) {
      if (Array.isArray(found)) this.#checkShared(base, found, issues);
      else if (isSingle(found)) this.#checkComposed(base, found, issues);
    }
  }

  #checkShared(base: string, entries: readonly Entry[], issues: IssueList): void {
    let single: Entry | undefined;
    const seen = new Map<string, Entry>();
    for (const entry of entries) {
      if (isSingle(entry)) {
        if (single !== undefined) addDoubled(base, [single, entry], issues);
        else this.#checkComposed(base, entry, issues);
        single ??= entry;
        continue;
      }
      for (const id of this.#rowsOf(entry).keys()) {
        const first = seen.get(id);
        if (first === undefined) {
          seen.set(id, entry);
          continue;
        }
        addDoubled(id, [first, entry], issues);
        break;
      }
    }
  }

  /** An id that was written as another entry composes it. */
  #checkComposed(id: string, entry: Entry, issues: IssueList): void {
    const other = this.#findExpanded(id);
    if (other !== undefined) addDoubled(id, [other.entry, entry], issues);
  }
}

function isSingle(entry: Entry): boolean {
  return entry.table.columns.length === 0;
}

function addDoubled(id: string, [first, second]: readonly [Entry, Entry], issues: IssueList): void {
  const field = second.id === undefined ? [] : ['id'];
  const isClass = second.id === undefined && second.class === id;
  issues.add(pathOf(second, ...field), describeDoubledId(id, { firstKey: first.key, isClass }));
}

/** Shared with single tasks. */
export function describeDoubledId(
  id: string,
  { firstKey, isClass }: { readonly firstKey: number | string; readonly isClass: boolean },
): string {
  const remedy = isClass ? 'entries of one class need ids of their own' : 'ids are unique in a run';
  return `the id ${JSON.stringify(id)} is used twice: tasks[${JSON.stringify(firstKey)}] has it too; ${remedy}`;
}
