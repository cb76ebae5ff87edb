import { isJsonObject, type JsonObject, suggest } from '@runnel/core';
import type { Notes, Path } from './notes.ts';
import { type Details, readDetails } from './read-details.ts';
import { readParameters } from './read-parameters.ts';
import type { Parameters } from './substitution.ts';

/** One task of a document, before it is expanded. */
export interface SourceEntry {
  readonly path: Path;
  /** The key in a map, the class in a list. */
  readonly name: string;
  /** Only in a list, where it was given. */
  readonly instance: number | null;
  readonly details: Details;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  /** Its own; they take the place of the run's. */
  readonly parameters: Parameters;
  readonly isGenerator: boolean;
  readonly retries: number;
}

/** What DaggyR itself writes beside them is taken without a word: documents are read back and sent again. */
const own = ['run_id', 'task_id', 'task_type', 'expansion_values', 'retries'];
const common = ['details', 'parents', 'children', 'parameters', 'is_generator', 'max_retries'];
const knownInList = ['class', 'instance', ...common];

/** Null where it can't be read, which is noted. */
export function readEntry(
  raw: unknown,
  place: { readonly path: Path; readonly key: string | null },
  notes: Notes,
): SourceEntry | null {
  const { path, key } = place;
  if (!isJsonObject(raw)) {
    notes.refuse(path, 'expected a task: an object with details, parents, children');
    return null;
  }
  warnOfUnknown(raw, place, notes);
  const name = key ?? raw['class'];
  if (typeof name !== 'string' || name === '') {
    notes.refuse(
      key === null ? [...path, 'class'] : path,
      key === null
        ? 'a task in a list needs a class: its name, as a string'
        : 'a task needs a name',
    );
    return null;
  }
  return {
    path,
    name,
    instance: key === null ? readCount(raw, { path, field: 'instance', notes }) : null,
    details: readDetails(raw['details'], [...path, 'details'], notes),
    parents: readNames(raw, { path, field: 'parents', notes }),
    children: readNames(raw, { path, field: 'children', notes }),
    parameters: readParameters(raw['parameters'], [...path, 'parameters'], notes),
    isGenerator: readFlag(raw, { path, field: 'is_generator', notes }),
    retries: readRetries(raw, { path, field: 'max_retries', notes }),
  };
}

function warnOfUnknown(
  raw: JsonObject,
  { path, key }: { readonly path: Path; readonly key: string | null },
  notes: Notes,
): void {
  const known = key === null ? knownInList : common;
  for (const field of Object.keys(raw)) {
    if (known.includes(field) || own.includes(field)) continue;
    const hint = suggest(field, known);
    notes.warn(
      [...path, field],
      `the field "${field}" is not known and ignored, as DaggyR did${hint}; known are ${known.join(', ')}`,
    );
  }
}

interface Field {
  readonly path: Path;
  readonly field: string;
  readonly notes: Notes;
}

function readNames(raw: JsonObject, { path, field, notes }: Field): readonly string[] {
  const names = raw[field];
  if (names === undefined || names === null) return [];
  if (!Array.isArray(names)) {
    notes.refuse([...path, field], 'expected a list of names, such as ["pull"]');
    return [];
  }
  return names.map((name: unknown, index) => {
    if (typeof name === 'string' && name !== '') return name;
    notes.refuse([...path, field, index], 'expected the name of a task, a string');
    return '';
  });
}

function readFlag(raw: JsonObject, { path, field, notes }: Field): boolean {
  const flag = raw[field];
  if (flag === undefined || flag === null || flag === false) return false;
  if (flag !== true) notes.refuse([...path, field], 'expected true or false');
  return true;
}

function readCount(raw: JsonObject, { path, field, notes }: Field): number | null {
  const count = raw[field];
  if (count === undefined || count === null) return null;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  notes.refuse([...path, field], 'expected a whole number from 0');
  return null;
}

const mostRetries = 254;

function readRetries(raw: JsonObject, place: Field): number {
  const retries = readCount(raw, place) ?? 0;
  if (retries <= mostRetries) return retries;
  place.notes.warn(
    [...place.path, place.field],
    `${retries} retries are more than ${mostRetries}, the most there are here: ${mostRetries} are made`,
  );
  return mostRetries;
}
