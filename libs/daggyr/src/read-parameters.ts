import { isJsonObject } from '@runnel/core';
import type { Notes, Path } from './notes.ts';
import type { Parameters } from './substitution.ts';

/** Far more than anybody combines; each is looked for in every word. */
const mostParameters = 100;

/** Reads `{ KEY: [value, …] }`; what is wrong is noted and left out. */
export function readParameters(raw: unknown, path: Path, notes: Notes): Parameters {
  const parameters = new Map<string, readonly string[]>();
  if (raw === undefined || raw === null) return parameters;
  if (!isJsonObject(raw)) {
    notes.refuse(path, 'expected an object of lists, such as {"DATE": ["2022-01-01"]}');
    return parameters;
  }
  const count = Object.keys(raw).length;
  if (count > mostParameters) {
    notes.refuse(path, `there are ${count} parameters; at most ${mostParameters} are taken`);
    return parameters;
  }
  for (const [key, values] of Object.entries(raw)) {
    const at = [...path, key];
    if (key === '') notes.refuse(at, 'a parameter needs a name: it is replaced wherever it stands');
    else if (!Array.isArray(values)) {
      notes.refuse(at, 'expected a list of values, such as ["2022-01-01"]');
    } else parameters.set(key, readValues(values, at, notes));
  }
  return parameters;
}

function readValues(values: readonly unknown[], path: Path, notes: Notes): readonly string[] {
  const places = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const text = toText(value);
    if (text === null) {
      notes.refuse([...path, index], 'expected a string');
      continue;
    }
    const first = places.get(text);
    if (first === undefined) places.set(text, index);
    else {
      notes.refuse(
        [...path, index],
        `the value ${JSON.stringify(text)} is there twice, it is also number ${first}: two tasks would have one name; leave one of them out`,
      );
    }
  }
  return [...places.keys()];
}

/** A string as it is, numbers and booleans as they are written; null for anything else. */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
