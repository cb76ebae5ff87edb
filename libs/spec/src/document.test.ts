import { SpecError } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { parseDocument } from './document.ts';

function failure(text: string, format: 'json' | 'yaml'): unknown {
  try {
    parseDocument(text, format);
  } catch (error: unknown) {
    if (error instanceof SpecError) return { code: error.code, ...error.issues[0] };
    throw error;
  }
  return undefined;
}

describe('parseDocument', () => {
  test('reads JSON and says where its parts stand', () => {
    const document = parseDocument('{\n  "a": [1,\n    {"b": "x"}]\n}', 'json');

    expect(document.value).toEqual({ a: [1, { b: 'x' }] });
    expect(document.locate(['a', 1, 'b'])).toEqual({ line: 3, column: 6 });
    expect(document.locate(['a', 0])).toEqual({ line: 2, column: 9 });
    expect(document.locate([])).toEqual({ line: 1, column: 1 });
    expect(document.locate(['c'])).toBeUndefined();
  });

  test('reads YAML and says where its parts stand', () => {
    const document = parseDocument('a:\n  - 1\n  - b: x\n', 'yaml');

    expect(document.value).toEqual({ a: [1, { b: 'x' }] });
    expect(document.locate(['a', 1, 'b'])).toEqual({ line: 3, column: 5 });
    expect(document.locate(['a', 0])).toEqual({ line: 2, column: 5 });
    expect(document.locate(['c'])).toBeUndefined();
  });

  test('keeps dates and merge keys of YAML as plain text', () => {
    expect(parseDocument('a: 2024-01-31\n<<: x', 'yaml').value).toEqual({
      a: '2024-01-31',
      '<<': 'x',
    });
  });

  test('names the place where JSON ends to be JSON', () => {
    expect(failure('{"a": 1,\n "b" 2}', 'json')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: [],
      message: "not valid JSON: Expected ':' after property name",
      line: 2,
      column: 6,
    });
    expect(failure('{"a": ', 'json')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: [],
      message: 'not valid JSON: Unexpected end of JSON input',
      line: 1,
      column: 7,
    });
    expect(failure('hello', 'json')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: [],
      message: "not valid JSON: Unexpected token 'h'",
      line: 1,
      column: 1,
    });
  });

  test('refuses a name that an object has twice', () => {
    expect(failure('{"a": {"b": 1,\n "\\u0062": 2}}', 'json')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: ['a', 'b'],
      message: 'the name "b" is used twice in one object',
      line: 2,
      column: 2,
    });
    expect(failure('a: 1\na: 2', 'yaml')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: [],
      message: 'the name "a" is used twice in one object',
      line: 2,
      column: 1,
    });
  });

  test.each(['__proto__', 'constructor', 'prototype'])('refuses the name %s', (name) => {
    expect(failure(`{"a": [{"${name}": 1}]}`, 'json')).toEqual({
      code: 'SPEC_UNREADABLE',
      path: ['a', 0, name],
      message: `the name "${name}" is not allowed`,
      line: 1,
      column: 9,
    });
    expect(failure(`a:\n  - ${name}: 1`, 'yaml')).toMatchObject({
      message: `the name "${name}" is not allowed`,
      line: 2,
      column: 5,
    });
  });

  test('refuses what is nested too deep', () => {
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

    expect(parseDocument(deep(64), 'json').value).toHaveLength(1);
    expect(failure(deep(65), 'json')).toMatchObject({ message: 'nested deeper than 64 levels' });
    expect(failure(deep(50_000), 'json')).toMatchObject({
      message: 'nested deeper than 64 levels',
    });
    expect(failure(deep(65), 'yaml')).toMatchObject({ message: 'nested deeper than 64 levels' });
    expect(failure(deep(50_000), 'yaml')).toMatchObject({
      message: 'nested deeper than 64 levels',
    });
    expect(failure(`${'- '.repeat(900_000)}x`, 'yaml')).toMatchObject({
      message: 'nested deeper than 64 levels',
    });
  });

  test('refuses YAML whose aliases unfold without end', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);

    expect(failure(lines.join('\n'), 'yaml')).toMatchObject({
      message: expect.stringMatching(/^not valid YAML: Excessive alias count/),
    });
    expect(failure(`a: &x 1\nb: [${'*x, '.repeat(101)}]`, 'yaml')).toMatchObject({
      message: 'more than 100 aliases (*name)',
    });
  });

  test('refuses large YAML and points at JSON', () => {
    expect(failure(`a: ${'x'.repeat(2_000_000)}`, 'yaml')).toMatchObject({
      message: 'YAML of more than 2 MB is not read: send it as JSON, which has no such limit',
    });
  });

  test('refuses several documents, unknown tags and numbers that JSON can not say', () => {
    expect(failure('a: 1\n---\nb: 2', 'yaml')).toMatchObject({ line: 2 });
    expect(failure('a: !!python/object x', 'yaml')).toMatchObject({ line: 1, column: 4 });
    expect(failure('a: .nan', 'yaml')).toMatchObject({
      path: ['a'],
      message: 'NaN is not a number that JSON can say',
    });
  });

  test('reads a large JSON document without searching it', () => {
    const text = `{"a": 1, "a": ${JSON.stringify('x'.repeat(2_000_001))}}`;

    expect(parseDocument(text, 'json').locate(['a'])).toBeUndefined();
  });
});
