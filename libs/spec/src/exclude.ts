import { shown, valueKey } from './axes.ts';
import {
  bareNames,
  codesOf,
  describeUnknownAxis,
  type ParameterPlace,
  type Parameters,
  type RawRow,
} from './rows.ts';
import { type Column, codeAt, listedTable, type Table } from './table.ts';

/** Each combination is looked up once for every set of parameters that exclude rows name. */
const maxRuleSets = 50;

/** Rows that name the same columns are looked up at once: `rows` says which one wrote a key. */
interface RuleSet {
  readonly columns: readonly number[];
  readonly rows: Map<string, number>;
}

/** Drops the combinations that match all values of an exclude row. */
export function excludeRows(
  parameters: Parameters,
  rows: readonly RawRow[],
  place: ParameterPlace,
): Parameters {
  const { columns, table } = parameters;
  if (rows.length === 0 || table === null) return parameters;
  const rules = readRules(columns, rows, place);
  const hits = new Set<number>();
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

function readRules(
  columns: readonly Column[],
  rows: readonly RawRow[],
  place: ParameterPlace,
): RuleSet[] {
  const sets = new Map<string, RuleSet>();
  const codes = columns.map(codesOf);
  for (const [index, raw] of rows.entries()) {
    const key = keyOfRow(raw, index, { columns, codes, place });
    if (key === undefined) continue;
    const set = sets.get(key.named.join()) ?? { columns: key.named, rows: new Map() };
    set.rows.set(key.codes.join(), index);
    sets.set(key.named.join(), set);
    if (sets.size > maxRuleSets) {
      const message = `more than ${maxRuleSets} different sets of parameters are excluded`;
      place.issues.add(['exclude', index], message);
      return [];
    }
  }
  return [...sets.values()];
}

interface RowContext {
  readonly columns: readonly Column[];
  readonly codes: readonly Map<unknown, number>[];
  readonly place: ParameterPlace;
}

/** The columns that a row names and the codes of its values; undefined where it can't match. */
function keyOfRow(
  raw: RawRow,
  index: number,
  { columns, codes, place }: RowContext,
): { readonly named: readonly number[]; readonly codes: readonly number[] } | undefined {
  const row = bareNames(raw);
  if (row.size === 0) place.issues.add(['exclude', index], 'an empty row would exclude everything');
  const known = columns.map((column) => column.name);
  for (const name of row.keys()) {
    if (known.includes(name)) continue;
    place.issues.add(['exclude', index, name], () => describeUnknownAxis(name, known));
  }
  const named: number[] = [];
  const found: number[] = [];
  for (const [column, name] of known.entries()) {
    const value = row.get(name);
    if (value === undefined) continue;
    const code = codes[column]?.get(valueKey(value));
    if (code === undefined) {
      const message = `${name} never is ${shown(value)}: nothing is excluded`;
      place.warnings.add(['exclude', index, name], message);
      return undefined;
    }
    named.push(column);
    found.push(code);
  }
  return { named, codes: found };
}

function isExcluded(
  table: Table,
  row: number,
  search: { readonly rules: readonly RuleSet[]; readonly hits: Set<number> },
): boolean {
  let excluded = false;
  for (const rule of search.rules) {
    const key = rule.columns.map((column) => codeAt(table, row, column)).join();
    const index = rule.rows.get(key);
    if (index === undefined) continue;
    search.hits.add(index);
    excluded = true;
  }
  return excluded;
}

function warnUnused(
  rules: readonly RuleSet[],
  hits: ReadonlySet<number>,
  place: ParameterPlace,
): void {
  for (const index of rules.flatMap((rule) => [...rule.rows.values()])) {
    if (hits.has(index)) continue;
    place.warnings.add(['exclude', index], 'no combination matches: nothing is excluded');
  }
}
