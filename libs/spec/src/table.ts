import type { Json } from '@runnel/core';

/** A parameter and its values, each named by its index ("code"). */
export interface Column {
  readonly name: string;
  readonly values: readonly Json[];
}

/**
 * Combinations of parameter values. The full product is not stored: its rows are computed, the last
 * column fastest. Otherwise each row is listed by its codes.
 */
export interface Table {
  readonly columns: readonly Column[];
  readonly count: number;
  /** Codes of all rows, one row after the other; null for the full product. */
  readonly codes: Uint32Array | null;
  /** Of the full product: how many rows pass before a column's value changes. */
  readonly strides: readonly number[];
}

/** How many rows the full product has: exact, however many. */
export function countProduct(columns: readonly Column[]): bigint {
  return columns.reduce((product, column) => product * BigInt(column.values.length), 1n);
}

/** Every combination; the caller has checked that `countProduct` is within its limit. */
export function fullTable(columns: readonly Column[]): Table {
  const strides = new Array<number>(columns.length).fill(1);
  let count = 1;
  for (let index = columns.length - 1; index >= 0; index--) {
    strides[index] = count;
    count *= columns[index]?.values.length ?? 1;
  }
  return { columns, count, codes: null, strides };
}

/** The one row of a task without parameters. */
export const singleRow: Table = fullTable([]);

export function listedTable(columns: readonly Column[], codes: Uint32Array): Table {
  return { columns, count: codes.length / columns.length, codes, strides: [] };
}

export function codeAt(table: Table, row: number, column: number): number {
  if (table.codes !== null) return table.codes[row * table.columns.length + column] ?? 0;
  const size = table.columns[column]?.values.length ?? 1;
  return Math.floor(row / (table.strides[column] ?? 1)) % size;
}

export function rowValues(table: Table, row: number): Json[] {
  return table.columns.map((column, index) => column.values[codeAt(table, row, index)] ?? null);
}

/** The named columns; equal rows become one, in the order in which they first appear. */
export function projectTable(table: Table, names: ReadonlySet<string>): Table {
  const kept = table.columns.flatMap((column, index) => (names.has(column.name) ? [index] : []));
  const columns = table.columns.filter((column) => names.has(column.name));
  if (columns.length === 0) return singleRow;
  if (table.codes === null) return fullTable(columns);
  const keys = numberRows(table, kept);
  const codes = new Uint32Array(table.count * kept.length);
  let length = 0;
  let unique = 0;
  for (let row = 0; row < table.count; row++) {
    if (keys[row] !== unique) continue;
    unique++;
    for (const column of kept) codes[length++] = codeAt(table, row, column);
  }
  return listedTable(columns, codes.slice(0, length));
}

/** A number for each row, equal for rows that are equal in these columns, counted in first order. */
function numberRows(table: Table, columns: readonly number[]): Uint32Array {
  const keys = new Uint32Array(table.count);
  for (const column of columns) {
    const size = table.columns[column]?.values.length ?? 1;
    const numbers = new Map<number, number>();
    for (let row = 0; row < table.count; row++) {
      const pair = (keys[row] ?? 0) * size + codeAt(table, row, column);
      const known = numbers.get(pair);
      if (known === undefined) numbers.set(pair, numbers.size);
      keys[row] = known ?? numbers.size - 1;
    }
  }
  return keys;
}

/** Each row with every combination of further columns; columns in the order of `names`. */
export function multiplyTable(
  table: Table,
  added: readonly Column[],
  names: readonly string[],
): Table {
  if (added.length === 0) return table;
  const product = fullTable(added);
  const all = [...table.columns, ...added];
  const order = names.flatMap((name) => {
    const index = all.findIndex((column) => column.name === name);
    return index === -1 ? [] : [index];
  });
  const columns = order.flatMap((index) => all[index] ?? []);
  if (table.codes === null) return fullTable(columns);
  const codes = new Uint32Array(table.count * product.count * columns.length);
  let length = 0;
  for (let row = 0; row < table.count; row++) {
    for (let inner = 0; inner < product.count; inner++) {
      for (const index of order) {
        const own = index - table.columns.length;
        codes[length++] = own < 0 ? codeAt(table, row, index) : codeAt(product, inner, own);
      }
    }
  }
  return listedTable(columns, codes);
}
