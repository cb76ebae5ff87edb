import type { Json } from '@runnel/core';
import { type RawAxes, readAxes, shown, valueKey } from './axes.ts';
import { bareAxisName } from './entry-fields.ts';
import type { IssueList, Path } from './issue-list.ts';
import type { RunHead } from './schema.ts';
import { suggest } from './suggest.ts';
import { type Column, codeAt, countProduct, fullTable, listedTable, type Table } from './table.ts';

type RawRow = Readonly<Record<string, Json>>;

/** The parameters of a run: their names in order, and the combinations that there are. */
export interface Parameters {
  readonly columns: readonly Column[];
  /** Null for the full product, which each task takes of the columns that it uses. */
  readonly table: Table | null;
}

interface Place {
  readonly issues: IssueList;
  readonly warnings: IssueList;
  readonly maxProduct: number;
}

/** Reads `parameters`, `exclude` and `include`; undefined where they are wrong, which is noted. */
export function readParameters(head: RunHead, place: Place): Parameters | undefined {
  const before = place.issues.count;
  const raw = head.parameters ?? {};
  const parameters = isRowList(raw) ? readRows(raw, place) : readProduct(raw, head, place);
  if (parameters === undefined || place.issues.count > before) return undefined;
  const kept = excludeRows(parameters, head.exclude ?? [], place);
  const grown = includeRows(kept, head.include ?? [], place);
  if (place.issues.count > before) return undefined;
  if (grown.table?.count === 0) {
    place.issues.add(['exclude'], 'nothing is left: every combination is excluded');
    return undefined;
  }
  return grown;
}

function isRowList(raw: RawAxes | readonly RawRow[]): raw is readonly RawRow[] {
  return Array.isArray(raw);
}

function readProduct(raw: RawAxes, head: RunHead, place: Place): Parameters | undefined {
  const { issues, maxProduct } = place;
  const columns = readAxes(raw, { path: ['parameters'], issues, maxValues: maxProduct });
  const isListed = (head.exclude ?? []).length + (head.include ?? []).length > 0;
  if (!isListed) return { columns, table: null };
  const product = countProduct(columns);
  if (product > BigInt(maxProduct)) {
    issues.add(['parameters'], describeProduct(product, maxProduct));
    return undefined;
  }
  return { columns, table: fullTable(columns) };
}

/** Both numbers of a product that is too large. */
export function describeProduct(product: bigint, maxProduct: number): string {
  return `the parameters make ${product} combinations, more than the limit of ${maxProduct}`;
}

function readRows(raw: readonly RawRow[], place: Place): Parameters | undefined {
  const names = Object.keys(raw[0] ?? {}).map(bareAxisName);
  if (names.length === 0) {
    place.issues.add(['parameters', 0], 'the row is empty: name at least one parameter');
    return undefined;
  }
  if (raw.length > place.maxProduct) {
    const message = describeProduct(BigInt(raw.length), place.maxProduct);
    place.issues.add(['parameters'], message);
    return undefined;
  }
  const builder = new RowBuilder(names.map((name) => ({ name, values: [] })));
  for (const [index, row] of raw.entries()) {
    builder.add(row, { path: ['parameters', index], issues: place.issues });
  }
  const table = builder.build();
  return { columns: table.columns, table };
}

/** Collects complete rows, giving each new value the next code of its column. */
class RowBuilder {
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
      place.issues.add([...place.path, name], describeUnknown(name, this.#names));
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

function bareNames(raw: RawRow): Map<string, Json> {
  return new Map(Object.entries(raw).map(([key, value]) => [bareAxisName(key), value]));
}

function codesOf(column: Column): Map<unknown, number> {
  return new Map(column.values.map((value, code) => [valueKey(value), code]));
}

function describeUnknown(name: string, known: readonly string[]): string {
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

function includeRows(parameters: Parameters, rows: readonly RawRow[], place: Place): Parameters {
  if (rows.length === 0) return parameters;
  if (parameters.columns.length === 0) {
    place.issues.add(['include'], 'there are no parameters that a row could be added to');
    return parameters;
  }
  const builder = new RowBuilder(parameters.columns);
  for (const [index, row] of rows.entries()) {
    builder.add(row, { path: ['include', index], issues: place.issues });
  }
  const table = builder.build(parameters.table ?? undefined);
  return { columns: table.columns, table };
}

function excludeRows(parameters: Parameters, rows: readonly RawRow[], place: Place): Parameters {
  const { columns, table } = parameters;
  if (rows.length === 0 || table === null) return parameters;
  const rules = readRules(columns, rows, place);
  const hits = new Set<string>();
  const width = columns.length;
  const codes = new Uint32Array(table.count * width);
  let length = 0;
  for (let row = 0; row < table.count; row++) {
    if (isExcluded(table, row, { rules, hits })) continue;
    for (let column = 0; column < width; column++) codes[length++] = codeAt(table, row, column);
  }
  warnUnused(rules, hits, place);
  return { columns, table: listedTable(columns, codes.slice(0, length)) };
}

/** Rules that name the same columns are looked up at once: `rows` says which one wrote a key. */
interface RuleSet {
  readonly columns: readonly number[];
  readonly rows: Map<string, number>;
}

function readRules(columns: readonly Column[], rows: readonly RawRow[], place: Place): RuleSet[] {
  const sets = new Map<string, RuleSet>();
  const codes = columns.map(codesOf);
  for (const [index, raw] of rows.entries()) {
    const row = bareNames(raw);
    if (row.size === 0)
      place.issues.add(['exclude', index], 'an empty row would exclude everything');
    for (const name of row.keys()) {
      if (columns.some((column) => column.name === name)) continue;
      const known = columns.map((column) => column.name);
      place.issues.add(['exclude', index, name], describeUnknown(name, known));
    }
    const named = columns.flatMap((column, at) => (row.has(column.name) ? [at] : []));
    const found = named.map((at) =>
      codes[at]?.get(valueKey(row.get(columns[at]?.name ?? '') ?? null)),
    );
    const missing = found.indexOf(undefined);
    if (missing !== -1) {
      const name = columns[named[missing] ?? 0]?.name ?? '';
      const value = shown(row.get(name) ?? null);
      place.warnings.add(
        ['exclude', index, name],
        `${name} never is ${value}: nothing is excluded`,
      );
      continue;
    }
    const set = sets.get(named.join()) ?? { columns: named, rows: new Map() };
    set.rows.set(found.join(), index);
    sets.set(named.join(), set);
  }
  return [...sets.values()];
}

function isExcluded(
  table: Table,
  row: number,
  search: { readonly rules: readonly RuleSet[]; readonly hits: Set<string> },
): boolean {
  let excluded = false;
  for (const rule of search.rules) {
    const key = rule.columns.map((column) => codeAt(table, row, column)).join();
    const index = rule.rows.get(key);
    if (index === undefined) continue;
    search.hits.add(`${index}`);
    excluded = true;
  }
  return excluded;
}

function warnUnused(rules: readonly RuleSet[], hits: ReadonlySet<string>, place: Place): void {
  for (const index of rules.flatMap((rule) => [...rule.rows.values()])) {
    if (hits.has(`${index}`)) continue;
    place.warnings.add(['exclude', index], 'no combination matches: nothing is excluded');
  }
}
