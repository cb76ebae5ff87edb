import { type RawAxes, readAxes } from './axes.ts';
import { bareAxisName } from './entry-fields.ts';
import { excludeRows } from './exclude.ts';
import { type ParameterPlace, type Parameters, type RawRow, RowBuilder } from './rows.ts';
import type { RunHead } from './schema.ts';
import { countProduct, fullTable } from './table.ts';

/** Reads `parameters`, `exclude` and `include`; undefined where they are wrong, which is noted. */
export function readParameters(head: RunHead, place: ParameterPlace): Parameters | undefined {
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

function readProduct(raw: RawAxes, head: RunHead, place: ParameterPlace): Parameters | undefined {
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

function readRows(raw: readonly RawRow[], place: ParameterPlace): Parameters | undefined {
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

function includeRows(
  parameters: Parameters,
  rows: readonly RawRow[],
  place: ParameterPlace,
): Parameters {
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
