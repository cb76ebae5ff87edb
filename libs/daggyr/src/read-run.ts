import { isJsonObject, type Json, type Steps, suggest } from '@runnel/core';
import type { Notes } from './notes.ts';
import { readEntry, type SourceEntry } from './read-entry.ts';
import { readParameters } from './read-parameters.ts';
import type { Parameters } from './substitution.ts';

/** A document as its author wrote it, checked field by field. */
export interface SourceRun {
  /** `tasks` is a list, whose tasks refer to each other by class, or a map by name. */
  readonly dialect: 'list' | 'map';
  readonly tags: Json;
  readonly pool: string | null;
  readonly parameters: Parameters;
  readonly entries: readonly SourceEntry[];
}

const known = ['tags', 'parameters', 'tasks', 'pool'];

/** Entries between two turns of others. */
const entriesPerStep = 64;

export function* readRun(document: unknown, notes: Notes): Steps<SourceRun | null> {
  if (!isJsonObject(document)) {
    notes.refuse([], 'expected a run: an object with tasks, and tags, parameters and a pool');
    return null;
  }
  for (const field of Object.keys(document)) {
    if (known.includes(field)) continue;
    notes.warn(
      [field],
      `the field "${field}" is not known and ignored, as DaggyR did${suggest(field, known)}; known are ${known.join(', ')}`,
    );
  }
  const { tags, pool, tasks } = document;
  if (pool !== undefined && pool !== null && typeof pool !== 'string') {
    notes.refuse(['pool'], 'expected the name of a pool, a string');
  }
  return {
    dialect: Array.isArray(tasks) ? 'list' : 'map',
    tags: tags ?? {},
    pool: typeof pool === 'string' ? pool : null,
    parameters: readParameters(document['parameters'], ['parameters'], notes),
    entries: yield* readEntries(tasks, notes),
  };
}

function* readEntries(tasks: unknown, notes: Notes): Steps<readonly SourceEntry[]> {
  const isList = Array.isArray(tasks);
  if (!isList && !isJsonObject(tasks)) {
    const what = tasks === undefined ? 'missing: ' : '';
    notes.refuse(['tasks'], `${what}expected a list of tasks, or an object of tasks by name`);
    return [];
  }
  const entries: SourceEntry[] = [];
  let count = 0;
  for (const [key, raw] of isList ? tasks.entries() : Object.entries(tasks)) {
    const path = ['tasks', key];
    const entry = readEntry(raw, { path, key: typeof key === 'string' ? key : null }, notes);
    if (entry !== null) entries.push(entry);
    if (++count % entriesPerStep === 0) yield;
  }
  if (count === 0) notes.refuse(['tasks'], 'there are no tasks: name at least one');
  return entries;
}
