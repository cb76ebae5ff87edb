import type { Json } from '@runnel/core';
import { listDates, parseDate, parseDateStep } from './date-range.ts';
import { bareAxisName } from './entry-fields.ts';
import type { IssueList, Path } from './issue-list.ts';
import type { Column } from './table.ts';
import { describeInput } from './zod-issues.ts';

/** A range as it is written. */
export interface RawRange {
  readonly from: number | string;
  readonly to: number | string;
  readonly step?: number | string | undefined;
}
export type RawAxes = Readonly<Record<string, readonly Json[] | RawRange>>;

interface Place {
  readonly path: Path;
  readonly issues: IssueList;
  /** The most values that a parameter may have. */
  readonly maxValues: number;
}

/** Parameters with their values listed; one that is wrong is left out and noted. */
export function readAxes(raw: RawAxes, place: Place): Column[] {
  const columns: Column[] = [];
  for (const [key, values] of Object.entries(raw)) {
    const name = bareAxisName(key);
    const at = { ...place, path: [...place.path, key] };
    if (columns.some((column) => column.name === name)) {
      place.issues.add(at.path, `the parameter ${JSON.stringify(name)} is given twice`);
      continue;
    }
    const listed = 'from' in values ? listRange(values, at) : checkList(values, at);
    if (listed !== undefined) columns.push({ name, values: listed });
  }
  return columns;
}

function checkList(values: readonly Json[], place: Place): readonly Json[] | undefined {
  if (values.length > place.maxValues) return refuseLength(values.length, place);
  const seen = new Map<unknown, number>();
  let doubled = false;
  for (const [index, value] of values.entries()) {
    const key = valueKey(value);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, index);
      continue;
    }
    doubled = true;
    place.issues.add(
      [...place.path, index],
      `the value ${shown(value)} is there twice: it is also number ${first}`,
    );
  }
  return doubled ? undefined : values;
}

/** Equal for equal values, also of lists and objects. */
export function valueKey(value: Json): unknown {
  return typeof value === 'object' && value !== null ? `\0${JSON.stringify(value)}` : value;
}

/** A value in a message. */
export function shown(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : describeInput(value);
}

function refuseLength(count: number, place: Place): undefined {
  place.issues.add(place.path, `${count} values are more than the limit of ${place.maxValues}`);
  return undefined;
}

function listRange(range: RawRange, place: Place): readonly Json[] | undefined {
  const { from, to, step } = range;
  if (typeof from === 'number' && typeof to === 'number') {
    return listNumbers({ from, to, step }, place);
  }
  if (typeof from === 'string' && typeof to === 'string') {
    return listDateRange({ from, to, step }, place);
  }
  place.issues.add(place.path, 'from and to must both be whole numbers or both be dates');
  return undefined;
}

function listNumbers(
  range: { from: number; to: number; step: number | string | undefined },
  place: Place,
): readonly Json[] | undefined {
  const { from, to, step = 1 } = range;
  if (typeof step !== 'number' || step < 1) {
    const got = describeInput(step);
    place.issues.add([...place.path, 'step'], `expected a whole number from 1, got ${got}`);
    return undefined;
  }
  if (from > to) return refuseOrder(from, to, place);
  const count = Math.floor((to - from) / step) + 1;
  if (count > place.maxValues) return refuseLength(count, place);
  return Array.from({ length: count }, (_, index) => from + index * step);
}

function refuseOrder(from: Json, to: Json, place: Place): undefined {
  place.issues.add(place.path, `the range is empty: from ${from} is after to ${to}`);
  return undefined;
}

function listDateRange(
  range: { from: string; to: string; step: number | string | undefined },
  place: Place,
): readonly Json[] | undefined {
  const from = readDate('from', range.from, place);
  const to = readDate('to', range.to, place);
  const { step = '1d' } = range;
  const parsed = typeof step === 'string' ? parseDateStep(step) : null;
  if (parsed === null) {
    const got = describeInput(step);
    const message = `expected a step such as "1d", "1w", "1mo" or "1y", got ${got}`;
    place.issues.add([...place.path, 'step'], message);
  }
  if (from === null || to === null || parsed === null) return undefined;
  if (from > to) return refuseOrder(range.from, range.to, place);
  const atLeast = Math.floor((to - from) / (parsed.days + parsed.months * 31));
  if (atLeast > place.maxValues) return refuseLength(atLeast, place);
  const dates = listDates(from, to, parsed);
  return dates.length > place.maxValues ? refuseLength(dates.length, place) : dates;
}

function readDate(end: 'from' | 'to', text: string, place: Place): number | null {
  const day = parseDate(text);
  if (day !== null) return day;
  const message = `${JSON.stringify(text)} is no date: write it as YYYY-MM-DD, such as "2024-01-31"`;
  place.issues.add([...place.path, end], message);
  return null;
}
