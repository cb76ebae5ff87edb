import { composeTaskId, type Json, type RunIf } from '@runnel/core';
import type { RawRef } from './entry-fields.ts';
import type { Path } from './issue-list.ts';
import type { Policy } from './kinds/kind.ts';
import { rowValues, type Table } from './table.ts';
import type { CompiledTemplate } from './template.ts';

/** An entry of `tasks`, checked by itself: its form, its template, its parameters. */
export interface Entry {
  /** Position among the entries. */
  readonly index: number;
  /** Position or key in `tasks`. */
  readonly key: number | string;
  readonly class: string;
  readonly id: string | undefined;
  readonly runIf: RunIf;
  readonly policy: Policy;
  readonly details: Json;
  /** Null where there is nothing to render. */
  readonly template: CompiledTemplate | null;
  readonly parents: readonly RawRef[];
  readonly children: readonly RawRef[];
  /** One row a task. */
  readonly table: Table;
  /** The number of its first task; the others follow. */
  readonly firstId: number;
  /** False where something in it is wrong: then less is said about what follows from it. */
  readonly isSound: boolean;
}

/** A task as users see it. */
export function taskName(entry: Entry, row: number): string {
  const axes = entry.table.columns.map((column) => column.name);
  return composeTaskId(baseOf(entry), axes, rowValues(entry.table, row));
}

export function pathOf(entry: Pick<Entry, 'key'>, ...rest: readonly (string | number)[]): Path {
  return ['tasks', entry.key, ...rest];
}

/** The id of the entry, to which the values of an expanded task are appended. */
export function baseOf(entry: Entry): string {
  return entry.id ?? entry.class;
}
