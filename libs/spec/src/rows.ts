import { type Json, suggest } from '@runnel/core';
import { valueKey } from './axes.ts';
import { bareAxisName } from './entry-fields.ts';
import type { IssueList, Path } from './issue-list.ts';
import { type Column, codeAt, listedTable, type Table } from './table.ts';

export type RawRow = Readonly<Record<string, Json>>;

/** The parameters of a run: their names in order, and the combinations that there are. */
export interface Parameters {
  readonly columns: readonly Column[];
  /** Null for the full product, which each task takes of the columns that it uses. */
  readonly table: Table | null;
}

/** What `parameters` are read with. */
export interface ParameterPlace {
  readonly issues: IssueList;
  readonly warnings: IssueList;
  readonly maxProduct: number;
}

/** Collects complete rows, giving each new value the next code of its column. */
export class RowBuilder {
  readonly #names: readonly string[];
  readonly #values: Json[][];
  readonly #codesOf: Map<unknown, number>[];
  readonly #codes: number[] = [];

  constructor(columns: readonly Column[]) {
    this.#names = columns.map((column) => column.name);
    this.#values = columns.map((column) => [...column.values]);
    this.#codesOf = columns.map((column) => codesOf(column));
  }

  add(raw: RawRow, place: { readonly path: Path; readonly issues: IssueList }): void {
    const row = bareNames(raw);
    for (const name of row.keys()) {
      if (this.#names.includes(name)) continue;
      place.issues.add([...place.path, name], () => describeUnknownAxis(name, this.#names));
    }
    for (const [column, name] of this.#names.entries()) {
      const value = row.get(name);
      if (value === undefined) {
        place.issues.add(place.path, `the row has no value for ${JSON.stringify(name)}`);
      } else {
        this.#codes.push(this.#codeOf(column, value));
      }
    }
  }

  #codeOf(column: number, value: Json): number {
    const key = valueKey(value);
    const known = this.#codesOf[column]?.get(key);
    if (known !== undefined) return known;
    const code = this.#values[column]?.push(value) ?? 0;
    this.#codesOf[column]?.set(key, code - 1);
    return code - 1;
  }

  build(before?: Table): Table {
    const columns = this.#names.map((name, index) => ({ name, values: this.#values[index] ?? [] }));
    const codes = before === undefined ? new Uint32Array(0) : listCodes(before);
    const all = new Uint32Array(codes.length + this.#codes.length);
    all.set(codes);
    all.set(this.#codes, codes.length);
    return listedTable(columns, all);
  }
}

/** A row by the plain names of its parameters. */
export function bareNames(raw: RawRow): Map<string, Json> {
  return new Map(Object.entries(raw).map(([key, value]) => [bareAxisName(key), value]));
}

/** The code of each value. */
export function codesOf(column: Column): Map<unknown, number> {
  return new Map(column.values.map((value, code) => [valueKey(value), code]));
}

/** With the nearest name that is known. */
export function describeUnknownAxis(name: string, known: readonly string[]): string {
  return `no parameter is named ${JSON.stringify(name)}${suggest(name, known)}`;
}

function listCodes(table: Table): Uint32Array {
  const width = table.columns.length;
  const codes = new Uint32Array(table.count * width);
  for (let row = 0, at = 0; row < table.count; row++) {
    for (let column = 0; column < width; column++) codes[at++] = codeAt(table, row, column);
  }
  return codes;
}
