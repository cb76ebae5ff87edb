import { type Issue, isJsonObject, suggest } from '@runnel/core';
import { z } from 'zod';

export interface CheckedValue {
  readonly schema: z.ZodType;
  readonly value: unknown;
  /** True for a part of the value that is taken for right, whatever the schema says. */
  readonly accepts?: (part: unknown) => boolean;
}

/**
 * What zod found wrong with a value, as issues for a person: one for each unknown field (with the field that was
 * meant), a missing field named as missing, unions told as their alternatives.
 */
export function describeSchemaIssues(error: z.ZodError, checked: CheckedValue): readonly Issue[] {
  return error.issues.flatMap((issue) => describeOne(issue, checked));
}

function describeOne(issue: z.core.$ZodIssue, checked: CheckedValue): readonly Issue[] {
  const path = toPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(checked.schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown field "${key}"${suggest(key, known)}${listFields(known)}`,
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues.map((nested) => nested.message).join('; ') }];
  }
  const part = valueAt(checked.value, path);
  if (checked.accepts?.(part)) return [];
  if (issue.code === 'invalid_union') return describeUnion(issue, checked);
  return [{ path, message: describeMessage(issue, part) }];
}

/** The alternative with the fewest issues is the one that was most likely meant; one without any is right. */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  checked: CheckedValue,
): readonly Issue[] {
  const path = toPath(issue.path);
  const expected = issue.errors.map((branch) => expectedType(branch));
  if (expected.every((type) => type !== undefined) && expected.length > 0) {
    return [{ path, message: `expected ${expected.join(' or ')}` }];
  }
  const [nearest] = issue.errors
    .map((branch) =>
      branch.flatMap((nested) =>
        describeOne({ ...nested, path: [...issue.path, ...nested.path] }, checked),
      ),
    )
    .toSorted((left, right) => left.length - right.length);
  return nearest ?? [{ path, message: issue.message }];
}

function expectedType(branch: readonly z.core.$ZodIssue[]): string | undefined {
  const [only, ...more] = branch;
  if (only === undefined || more.length > 0 || only.path.length > 0) return undefined;
  return only.code === 'invalid_type' ? only.expected : undefined;
}

function describeMessage(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code !== 'invalid_type' || value !== undefined) return issue.message;
  const expected = issue.message.startsWith('Invalid input') ? issue.expected : issue.message;
  return `missing (${expected.startsWith('expected') ? expected : `expected ${expected}`})`;
}

function toPath(path: readonly PropertyKey[]): readonly (string | number)[] {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

/** The value at a place inside a document; undefined where there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const part of path) {
    if (Array.isArray(current)) current = current[Number(part)];
    else if (isJsonObject(current) && Object.hasOwn(current, part)) current = current[part];
    else return undefined;
  }
  return current;
}

function listFields(known: readonly string[]): string {
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

/** The fields that a schema knows at a place: read from its JSON Schema, which any zod type can give. */
function fieldsAt(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let current: unknown = toJsonSchema(schema);
  for (const part of path) {
    if (!isJsonObject(current)) return [];
    const { properties, items, additionalProperties } = current;
    const named = isJsonObject(properties) ? properties[part] : undefined;
    current = named ?? items ?? additionalProperties;
  }
  if (!isJsonObject(current)) return [];
  const { properties } = current;
  return isJsonObject(properties) ? Object.keys(properties) : [];
}

function toJsonSchema(schema: z.ZodType): unknown {
  try {
    return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  } catch {
    // A schema of another copy of zod: it checks all the same, only the hint is lost.
    return null;
  }
}
