import { isJsonObject, type Json } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { runSpecJsonSchema, runSpecSchema } from './schema.ts';

/** Paths of the fields that say nothing about themselves. */
function undescribed(schema: unknown, path: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap((item) => undescribed(item, path));
  if (!isJsonObject(schema)) return [];
  const { properties } = schema;
  const own = isJsonObject(properties)
    ? Object.entries(properties).flatMap(([name, field]: [string, Json]) =>
        isJsonObject(field) && typeof field['description'] === 'string' ? [] : [`${path}.${name}`],
      )
    : [];
  return [
    ...own,
    ...Object.entries(schema).flatMap(([key, value]) => undescribed(value, `${path}.${key}`)),
  ];
}

describe('the JSON Schema of a run spec', () => {
  test('describes every field', () => {
    const schema = runSpecJsonSchema();

    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:runnel:schema:run-spec',
      title: 'Run spec',
      required: ['tasks'],
      additionalProperties: false,
    });
    expect(undescribed(schema, '')).toEqual([]);
  });

  test('can be written as JSON', () => {
    expect(JSON.parse(JSON.stringify(runSpecJsonSchema()))).toEqual(runSpecJsonSchema());
  });
});

describe('runSpecSchema', () => {
  test('takes a list of tasks and an object of tasks', () => {
    expect(runSpecSchema.safeParse({ tasks: [{ class: 'a' }] }).success).toBe(true);
    expect(runSpecSchema.safeParse({ tasks: { a: { parents: ['b'] } } }).success).toBe(true);
    expect(runSpecSchema.safeParse({ tasks: [{ klass: 'a' }] }).success).toBe(false);
  });
});
