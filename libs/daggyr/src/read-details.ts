import { isJsonObject, type Json, type JsonObject, suggest } from '@runnel/core';
import type { Notes, Path } from './notes.ts';
import { toText } from './read-parameters.ts';

/** What a task does, from its `details`. */
export interface Details {
  readonly command: readonly string[];
  /** Null where there is none. A value that is no text (a secret) stays as it is. */
  readonly environment: JsonObject | null;
  readonly timeout: string | null;
  readonly resources: Readonly<Record<string, number>> | null;
}

const known = ['command', 'environment', 'timeout', 'resources'];
/** Fields that belong beside `details`. */
const outer = ['children', 'parents', 'parameters', 'is_generator', 'max_retries'];

const noDetails: Details = { command: [], environment: null, timeout: null, resources: null };

export function readDetails(raw: unknown, path: Path, notes: Notes): Details {
  if (!isJsonObject(raw)) {
    notes.refuse(
      path,
      raw === undefined ? 'missing: a task needs details with a command' : 'expected an object',
    );
    return noDetails;
  }
  for (const field of Object.keys(raw)) {
    if (!known.includes(field)) notes.warn([...path, field], describeUnknown(field));
  }
  const command = readCommand(raw['command'], [...path, 'command'], notes);
  const environment = readEnvironment(raw['environment'], [...path, 'environment'], notes);
  const size = sizeOf(command, environment);
  if (size > mostCharacters) {
    notes.refuse(
      path,
      `command and environment have ${size} characters; at most ${mostCharacters} are taken: write them to a file that the command reads`,
    );
    return noDetails;
  }
  return {
    command,
    environment,
    timeout: readTimeout(raw['timeout'], [...path, 'timeout'], notes),
    resources: readResources(raw['resources'], [...path, 'resources'], notes),
  };
}

/** A task is kept as one line of a megabyte at most. */
const mostCharacters = 500_000;

function sizeOf(command: readonly string[], environment: JsonObject | null): number {
  const texts = [...command, ...Object.entries(environment ?? {}).flat()];
  return texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? text.length : 0), 0);
}

function describeUnknown(field: string): string {
  if (outer.includes(field)) {
    return `"${field}" is ignored inside of details, as DaggyR did: move it out, beside "details"`;
  }
  const hint = field === 'env' ? ' (did you mean "environment"?)' : suggest(field, known);
  return `the field "${field}" is not known and ignored, as DaggyR did${hint}; known are ${known.join(', ')}`;
}

function readCommand(raw: unknown, path: Path, notes: Notes): readonly string[] {
  const wanted = 'a list of words such as ["echo", "hi"]; for a shell ["sh", "-c", "echo hi"]';
  if (!Array.isArray(raw) || raw.length === 0) {
    const what = raw === undefined ? 'missing: ' : '';
    notes.refuse(path, `${what}a task needs ${wanted}`);
    return [];
  }
  return raw.map((word, index) => {
    const text = toText(word);
    if (text === null) notes.refuse([...path, index], `expected a word: the command is ${wanted}`);
    return text ?? '';
  });
}

function readEnvironment(raw: unknown, path: Path, notes: Notes): JsonObject | null {
  if (raw === undefined || raw === null) return null;
  if (!isJsonObject(raw)) {
    notes.refuse(path, 'expected an object of variables, such as {"YEAR": "2022"}');
    return null;
  }
  const variables = Object.entries(raw).map(([name, value]): [string, Json] => [
    name,
    toText(value) ?? value,
  ]);
  return variables.length === 0 ? null : Object.fromEntries(variables);
}

/** Runnel's longest duration, which is that of a timer. */
const longestSeconds = 24 * 86_400;

function readTimeout(raw: unknown, path: Path, notes: Notes): string | null {
  if (raw === undefined || raw === null) return null;
  if (typeof raw !== 'number' || !Number.isFinite(raw)) {
    notes.refuse(path, 'expected a number of seconds, such as 60');
    return null;
  }
  // As in DaggyR: 0 is none.
  if (raw <= 0) return null;
  if (raw > longestSeconds) {
    notes.refuse(path, `${raw} s are more than 24 days (${longestSeconds}): leave the timeout out`);
    return null;
  }
  return `${Math.max(1, Math.round(raw * 1000))}ms`;
}

function readResources(
  raw: unknown,
  path: Path,
  notes: Notes,
): Readonly<Record<string, number>> | null {
  if (raw === undefined || raw === null) return null;
  if (!isJsonObject(raw)) {
    notes.refuse(path, 'expected an object of numbers, such as {"cores": 1, "memory_mb": 100}');
    return null;
  }
  const resources: Record<string, number> = {};
  for (const [name, amount] of Object.entries(raw)) {
    if (typeof amount !== 'number' || amount < 0) {
      notes.refuse([...path, name], 'expected a number of at least 0');
    } else if (amount > 0) resources[name] = amount;
  }
  return Object.keys(resources).length === 0 ? null : resources;
}
