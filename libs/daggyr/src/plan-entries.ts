import type { Steps } from '@runnel/core';
import type { Notes } from './notes.ts';
import type { SourceEntry } from './read-entry.ts';
import type { SourceRun } from './read-run.ts';
import { countCombinations, type Parameters, Substitution } from './substitution.ts';

/** The most tasks that an entry, and a run, may become. */
export interface ExpansionLimits {
  readonly maxProduct: number;
  readonly maxTasks: number;
}

/** An entry with what it is expanded by. */
export interface PlannedEntry {
  readonly source: SourceEntry;
  readonly substitution: Substitution;
  /** The keys that stand in its command and environment, sorted. */
  readonly keys: readonly string[];
  readonly parameters: Parameters;
  /** How many tasks do its work; 1 where nothing expands it. */
  readonly count: number;
  /** The number of its first task, structural ones counted. */
  readonly firstTask: number;
}

/** Entries between two turns of others. */
const entriesPerStep = 8;

/** Finds out what each entry becomes; nothing is expanded so far. */
export function* planEntries(
  run: SourceRun,
  limits: ExpansionLimits,
  notes: Notes,
): Steps<readonly PlannedEntry[]> {
  const shared = new Substitution([...run.parameters.keys()]);
  const planned: PlannedEntry[] = [];
  let firstTask = 0;
  for (const source of run.entries) {
    const hasOwn = source.parameters.size > 0;
    const parameters = hasOwn ? new Map([...run.parameters, ...source.parameters]) : run.parameters;
    const substitution = hasOwn ? new Substitution([...parameters.keys()]) : shared;
    const keys = substitution.keysIn(textsOf(source));
    const count = countCombinations(keys, parameters);
    planned.push({ source, substitution, keys, parameters, count, firstTask });
    checkCount({ source, keys, parameters, count }, limits, notes);
    firstTask += run.dialect === 'map' && count > 1 ? count + structuralTasks : count;
    if (planned.length % entriesPerStep === 0) yield;
  }
  if (firstTask > limits.maxTasks) {
    notes.refuse(
      ['tasks'],
      `they become ${firstTask} tasks; a run has at most ${limits.maxTasks} (RUNNEL_MAX_TASKS)`,
    );
  }
  return planned;
}

/** The head and the tail of an expanded task of a map. */
export const structuralTasks = 2;

function checkCount(
  {
    source,
    keys,
    parameters,
    count,
  }: Pick<PlannedEntry, 'source' | 'keys' | 'parameters' | 'count'>,
  { maxProduct }: ExpansionLimits,
  notes: Notes,
): void {
  for (const key of keys) {
    if (parameters.get(key)?.length !== 0) continue;
    const place = source.parameters.has(key) ? [...source.path, 'parameters'] : ['parameters'];
    notes.refuse(
      [...place, key],
      `the list is empty, and ${JSON.stringify(source.name)} uses it: name a value, or leave the task out`,
    );
  }
  if (count > maxProduct) {
    notes.refuse(
      source.path,
      `${keys.join(', ')} make ${count} tasks of it; at most ${maxProduct} are made of one (RUNNEL_MAX_PRODUCT)`,
    );
  }
}

/** Where keys are looked for: words of the command, and values of the environment. */
function textsOf({ details }: SourceEntry): readonly string[] {
  const values = Object.values(details.environment ?? {});
  return [...details.command, ...values.filter((value) => typeof value === 'string')];
}
