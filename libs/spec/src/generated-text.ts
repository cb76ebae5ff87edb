import { isJsonObject, SpecError, suggest } from '@runnel/core';
import { parseDocument } from './document.ts';
import type { Locate } from './issue-list.ts';
import { issueOfSyntaxError } from './json-scan.ts';

/** 64 MB: several hundred thousand tasks; a larger text would fill the worker's memory when it is expanded. */
export const maxGeneratedBytes = 64 * 1024 * 1024;

/** What a generator gave, as a spec of its own. */
export interface GeneratedSet {
  readonly value: Readonly<Record<string, unknown>>;
  readonly isEmpty: boolean;
  readonly locate: Locate;
}

/**
 * Reads the output of a generator: a list of tasks, an object of tasks by class, an object with
 * `tasks` beside `parameters` and `defaults`, or a task on each line.
 *
 * @throws SpecError with every issue that keeps it from being read.
 */
export function parseGenerated(text: string): GeneratedSet {
  if (text.trim() === '') return wrap([], () => undefined);
  if (isByLine(text)) return parseLines(text);
  const { value, locate } = parseDocument(text, 'json');
  return wrap(value, (path) => locate(path));
}

/** The same of a value that was read already. */
export function readGeneratedValue(value: unknown): GeneratedSet {
  return wrap(value, () => undefined);
}

/** A set comes line by line where its first line is a task: an object of tasks has no text under "class". */
function isByLine(text: string): boolean {
  const start = text.search(/\S/);
  const end = text.indexOf('\n', start);
  const first = text.slice(start, end < 0 ? undefined : end);
  if (!first.startsWith('{')) return false;
  try {
    const value: unknown = JSON.parse(first);
    return isJsonObject(value) && typeof value['class'] === 'string';
  } catch {
    // The beginning of a document that goes on: it is read as a whole.
    return false;
  }
}

function parseLines(text: string): GeneratedSet {
  const tasks: unknown[] = [];
  const lines: number[] = [];
  const issues: SpecError['issues'][number][] = [];
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? undefined : end);
    at = end < 0 ? text.length : end + 1;
    number++;
    if (line.trim() === '') continue;
    lines.push(number);
    try {
      tasks.push(JSON.parse(line));
    } catch (error: unknown) {
      if (issues.length < mostLineIssues) issues.push(issueOfLine(line, error, number));
    }
  }
  if (issues.length > 0) throw new SpecError(issues, 'SPEC_UNREADABLE');
  const locate: Locate = ([field, key]) => {
    const line = field === 'tasks' && typeof key === 'number' ? lines[key] : undefined;
    return line === undefined ? undefined : { line };
  };
  return { value: { tasks }, isEmpty: false, locate };
}

/** A file of another form would else answer with a message for each of its lines. */
const mostLineIssues = 20;

function issueOfLine(line: string, error: unknown, number: number): SpecError['issues'][number] {
  const { column, message } = issueOfSyntaxError(line, error);
  return { path: [], message, line: number, ...(column === undefined ? {} : { column }) };
}

/** Beside `tasks`; what belongs to a run as a whole is the run's. */
const setFields = ['parameters', 'exclude', 'include', 'defaults', 'tasks'] as const;

function wrap(value: unknown, locate: Locate): GeneratedSet {
  if (isJsonObject(value) && isSet(value)) {
    checkFields(value, locate);
    return { value, isEmpty: isEmpty(value['tasks']), locate };
  }
  if (Array.isArray(value) || isJsonObject(value)) {
    const inTasks: Locate = (path) => locate(path.slice(1));
    return { value: { tasks: value }, isEmpty: isEmpty(value), locate: inTasks };
  }
  const message =
    'the generated tasks are neither a list of tasks, nor an object of tasks by class, nor an object with "tasks"';
  throw new SpecError([{ path: [], message }]);
}

/** An object of tasks by class may have one of the class "tasks", which then is a task, not several. */
function isSet(value: Readonly<Record<string, unknown>>): boolean {
  const { tasks } = value;
  if (Array.isArray(tasks)) return true;
  const names = Object.keys(value);
  return isJsonObject(tasks) && names.every((name) => setFields.some((known) => known === name));
}

function checkFields(value: Readonly<Record<string, unknown>>, locate: Locate): void {
  const issues = Object.keys(value).flatMap((name) => {
    if (setFields.some((known) => known === name)) return [];
    const known = `known beside "tasks" are ${setFields.slice(0, -1).join(', ')}`;
    const hint = suggest(name, [...setFields]) || `: ${known}; all else is the run's`;
    const message = `a generated set has no field ${JSON.stringify(name)}${hint}`;
    return [{ path: [name], message, ...locate([name]) }];
  });
  if (issues.length > 0) throw new SpecError(issues);
}

function isEmpty(tasks: unknown): boolean {
  if (Array.isArray(tasks)) return tasks.length === 0;
  return isJsonObject(tasks) && Object.keys(tasks).length === 0;
}
