import { UsageError } from './exit-codes.ts';

/** The values that were asked for, by the name of the parameter. */
export type Overrides = ReadonlyMap<string, readonly string[]>;

type Fields = Readonly<Record<string, unknown>>;

/** Reads `-p CITY=a,b`; the same name again adds values. */
export function parseOverrides(texts: readonly string[]): Overrides {
  const overrides = new Map<string, string[]>();
  for (const text of texts) {
    const [, name, list] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    const values = (list ?? '').split(',').map((value) => value.trim());
    if (name === undefined || values.includes('')) {
      throw new UsageError(`-p ${text}: write a name and values, such as -p CITY=seattle,new-york`);
    }
    overrides.set(name, [...new Set([...(overrides.get(name) ?? []), ...values])]);
  }
  return overrides;
}

/**
 * The spec with other values for some of its parameters. In a list of rows it keeps the rows that have
 * one of the values. What `exclude` and `include` say about values that are gone goes too.
 *
 * @throws UsageError where the spec has no such parameter, or no row is left.
 */
export function overrideParameters(spec: unknown, overrides: Overrides): unknown {
  if (overrides.size === 0 || !isFields(spec)) return spec;
  const parameters = spec['parameters'];
  if (Array.isArray(parameters)) {
    return { ...spec, parameters: [...overrides].reduce<unknown[]>(filterRows, parameters) };
  }
  const axes = isFields(parameters) ? parameters : {};
  const changed: Record<string, unknown> = { ...axes };
  const values = new Map<string, readonly unknown[]>();
  for (const [name, texts] of overrides) {
    const key = Object.keys(axes).find((candidate) => bareName(candidate) === name);
    if (key === undefined) throw unknownParameter(name, Object.keys(axes).map(bareName));
    const chosen = texts.map((text) => readValue(text, axes[key]));
    changed[key] = chosen;
    values.set(name, chosen);
  }
  return {
    ...spec,
    parameters: changed,
    ...keepRows(spec, 'exclude', values),
    ...keepRows(spec, 'include', values),
  };
}

/** A value of the spec that is written the same keeps its type; else it has the type of its neighbours. */
function readValue(text: string, axis: unknown): unknown {
  if (Array.isArray(axis)) {
    const known = axis.find((value) => asText(value) === text);
    if (known !== undefined) return known;
    return axis.every((value) => typeof value === 'number') ? readNumber(text) : text;
  }
  return isFields(axis) && typeof axis['from'] === 'number' ? readNumber(text) : text;
}

function readNumber(text: string): unknown {
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function filterRows(
  rows: readonly unknown[],
  [name, texts]: readonly [string, readonly string[]],
): unknown[] {
  const cellOf = (row: unknown): unknown => (isFields(row) ? row[name] : undefined);
  const known = [...new Set(rows.filter(isFields).flatMap((row) => Object.keys(row)))];
  if (!known.includes(name)) throw unknownParameter(name, known);
  const left = rows.filter((row) => texts.includes(asText(cellOf(row))));
  if (left.length > 0) return left;
  const values = [...new Set(rows.map((row) => asText(cellOf(row))))].slice(0, 10);
  throw new UsageError(
    `-p ${name}=${texts.join(',')}: no row of the parameters has that; there are ${values.join(', ')}`,
  );
}

function keepRows(
  spec: Fields,
  field: 'exclude' | 'include',
  chosen: ReadonlyMap<string, readonly unknown[]>,
): Fields {
  const rows = spec[field];
  if (!Array.isArray(rows)) return {};
  const isPossible = (row: unknown): boolean =>
    !isFields(row) ||
    Object.entries(row).every(([key, value]) => {
      const texts = chosen.get(bareName(key))?.map(asText);
      return texts === undefined || texts.includes(asText(value));
    });
  return { [field]: rows.filter(isPossible) };
}

/** Names may be written as placeholders. */
function bareName(key: string): string {
  return /^\{\{\s*(\w+)\s*\}\}$/.exec(key)?.[1] ?? key;
}

function unknownParameter(name: string, known: readonly string[]): UsageError {
  const there = known.length === 0 ? 'it has none' : `there are ${known.join(', ')}`;
  return new UsageError(`-p ${name}: the spec has no run-wide parameter of that name; ${there}`);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
