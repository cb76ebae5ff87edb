import {
  describePlaces,
  type Executor,
  fillSecretReferences,
  findSecretReferences,
  formatPath,
  type Issue,
  isJsonObject,
  type Json,
  type SecretPlace,
} from '@runnel/core';
import { describeSchemaIssues, valueAt } from './schema-issues.ts';

/** What the value of a secret is taken for: nobody knows it here. */
const someText = 'secret';

/** What is wrong with a task's details before they are rendered. `written`: before anything was filled in. */
export function checkDetails(
  { details: schema, secretPlaces = [] }: Pick<Executor, 'details' | 'secretPlaces'>,
  details: Json,
  written: Json,
): readonly Issue[] {
  const issues: Issue[] = [];
  const references = findSecretReferences(secretPlaces, written, issues);
  const texts = references.map(() => someText);
  const value = fillSecretReferences(details, references, texts);
  const parsed = schema.safeParse(value);
  if (parsed.success) return issues;
  const told = new Set(issues.map(({ path }) => formatPath(path)));
  const asReferences = new Set(references.map(({ path }) => formatPath(path)));
  for (const issue of describeSchemaIssues(parsed.error, { schema, value, accepts })) {
    const place = formatPath(issue.path);
    if (told.has(place)) continue;
    issues.push(asReferences.has(place) ? issue : explainSecret(issue, written, secretPlaces));
  }
  return issues;
}

/** A reference where none is taken is told as such, not as a value of the wrong type. */
function explainSecret(issue: Issue, written: Json, places: readonly SecretPlace[]): Issue {
  const value = valueAt(written, issue.path);
  if (places.length === 0 || !isJsonObject(value)) return issue;
  if (typeof value['secret'] !== 'string') return issue;
  const message = `a reference to a secret can't stand here, only in ${describePlaces(places)}`;
  return { ...issue, message };
}

/** A value that is filled in later. */
function accepts(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}
