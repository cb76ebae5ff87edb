import { type DaggyrState, daggyrStates } from '@runnel/daggyr';
import type { Request } from 'express';
import { RequestError } from '../request-error.ts';

/** Which runs are wanted; what is null is not asked for. */
export interface RunFilter {
  readonly tags: Readonly<Record<string, string>>;
  readonly states: ReadonlySet<DaggyrState> | null;
  readonly startTime: number | null;
  readonly endTime: number | null;
}

/**
 * `tags`, `states`, `start_time` and `end_time`. DaggyR meant structures inside of the query, and no way
 * to write one worked; so the usual ones are taken.
 */
export function readFilter(query: Request['query']): RunFilter {
  const parameters = Object.entries(query).map(
    ([name, raw]): Parameter => [name, (Array.isArray(raw) ? raw : [raw]).map(String)],
  );
  for (const [name] of parameters) requireKnown(name);
  const states = valuesOf(parameters, 'states', 'state').flatMap(readStates);
  return {
    tags: Object.fromEntries([
      ...valuesOf(parameters, 'tags').flatMap(readTags),
      ...parameters.flatMap(([name, values]) => readBracket(name, values)),
    ]),
    states: states.length === 0 ? null : new Set(states),
    startTime: readTime(parameters, 'start_time'),
    endTime: readTime(parameters, 'end_time'),
  };
}

type Parameter = readonly [name: string, values: readonly string[]];
type Tag = readonly [name: string, value: string];

const known = ['tags', 'states', 'state', 'start_time', 'end_time'];
const bracket = /^tags\[(.+)\]$/;

function requireKnown(name: string): void {
  if (known.includes(name) || bracket.test(name)) return;
  throw wrong(`there is no parameter ${name}; known are tags, states, start_time, end_time`);
}

function valuesOf(
  parameters: readonly Parameter[],
  ...names: readonly string[]
): readonly string[] {
  return parameters.flatMap(([name, values]) => (names.includes(name) ? values : []));
}

/** `tags[team]=data` */
function readBracket(name: string, values: readonly string[]): readonly Tag[] {
  const tag = bracket.exec(name)?.[1];
  return tag === undefined ? [] : [[tag, values.at(-1) ?? '']];
}

/** `team:data`, `team=data`, several with commas, or a JSON object. */
function readTags(text: string): readonly Tag[] {
  if (text.startsWith('{')) return readJsonTags(text);
  return text.split(',').map((pair) => {
    const at = pair.search(/[:=]/);
    if (at < 1) throw wrong(`tags: ${JSON.stringify(pair)} is no tag; write tags=team:data`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
}

function readJsonTags(text: string): readonly Tag[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Object.entries(parsed ?? {}).map(([name, value]) => [name, String(value)]);
  } catch (error: unknown) {
    throw wrong('tags: this is not JSON; write tags=team:data', { cause: error });
  }
}

function readStates(text: string): readonly DaggyrState[] {
  return text.split(',').map((word) => {
    const wanted = word.trim().toLowerCase();
    const state = daggyrStates.find((one) => one.toLowerCase() === wanted);
    if (state !== undefined) return state;
    const list = daggyrStates.join(', ');
    throw wrong(`states: there is no state ${JSON.stringify(word)}; known are ${list}`);
  });
}

function readTime(parameters: readonly Parameter[], name: string): number | null {
  const text = valuesOf(parameters, name).at(-1);
  if (text === undefined) return null;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw wrong(`${name}: ${JSON.stringify(text)} is no time; write it as 2022-01-31T08:00:00Z`);
}

function wrong(message: string, options: ErrorOptions = {}): RequestError {
  return new RequestError(400, `the query is not valid: ${message}`, options);
}
