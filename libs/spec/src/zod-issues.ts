import type { z } from 'zod';
import type { IssueList, Path } from './issue-list.ts';

type ZodIssue = z.core.$ZodIssue;

/** Parses a value; what is wrong goes to the list in our words. */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  place: { readonly path: Path; readonly issues: IssueList },
): T | undefined {
  const result = schema.safeParse(value, { error: describeIssue });
  if (result.success) return result.data;
  for (const issue of result.error.issues) addIssue(issue, place.path, place.issues);
  return undefined;
}

function addIssue(issue: ZodIssue, base: Path, issues: IssueList): void {
  const path = [...base, ...issue.path.map(toPathPart)];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    for (const [index, key] of issue.keys.entries()) {
      issues.add([...path, key], messages[index] ?? issue.message);
    }
    return;
  }
  if (issue.code === 'invalid_key') {
    for (const inner of issue.issues) issues.add(path, inner.message);
    return;
  }
  const branch = issue.code === 'invalid_union' ? nearestBranch(issue.errors) : undefined;
  if (branch === undefined) {
    issues.add(path, issue.message);
    return;
  }
  for (const inner of branch) addIssue(inner, path, issues);
}

/** The form that the user most likely meant: of the right type, with the fewest mistakes. */
function nearestBranch(
  branches: readonly (readonly ZodIssue[])[],
): readonly ZodIssue[] | undefined {
  let best: readonly ZodIssue[] | undefined;
  for (const branch of branches) {
    if (branch.some(isOfAnotherType)) continue;
    if (best === undefined || countMistakes(branch) < countMistakes(best)) best = branch;
  }
  return best;
}

function isOfAnotherType(issue: ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return nearestBranch(issue.errors) === undefined;
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function countMistakes(issues: readonly ZodIssue[]): number {
  return issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1),
    0,
  );
}

function toPathPart(part: PropertyKey): string | number {
  return typeof part === 'symbol' ? String(part) : part;
}

/** Our words for what zod found; what a field says itself comes first. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(String(issue.expected), issue.input);
    case 'invalid_value':
      return `expected ${listValues(issue.values)}, got ${describeInput(issue.input)}`;
    case 'too_small':
      return describeBound(
        issue.inclusive === false ? 'more than' : 'at least',
        issue.minimum,
        issue.origin,
      );
    case 'too_big':
      return describeBound('at most', issue.maximum, issue.origin);
    default:
      return undefined;
  }
}

function describeType(expected: string, input: unknown): string {
  if (input === undefined) return `missing: expected ${typeWords[expected] ?? expected}`;
  return `expected ${typeWords[expected] ?? expected}, got ${describeInput(input)}`;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function listValues(values: readonly unknown[]): string {
  const words = values.map((value) => JSON.stringify(value));
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function describeBound(words: string, bound: unknown, origin: string): string {
  if (origin === 'string') return `expected ${words} ${bound} characters`;
  if (origin === 'array') return `expected a list of ${words} ${bound}`;
  if (origin === 'record' || origin === 'object') return `expected ${words} ${bound} fields`;
  return `expected a number ${words === 'more than' ? words : `of ${words}`} ${bound}`;
}

/** A short name for a value in a message: its type, and itself where it is short. */
export function describeInput(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'an object';
  if (typeof input !== 'string') return String(input);
  return JSON.stringify(input.length > 60 ? `${input.slice(0, 57)}…` : input);
}
