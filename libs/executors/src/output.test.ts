import { expect, test } from 'vitest';
import { parseOutput } from './output.ts';

test('takes an object up to the limit', () => {
  const text = JSON.stringify({ text: 'x'.repeat(65_536 - '{"text":""}'.length) });

  expect(parseOutput(text, 'the output').kind).toBe('valid');
  expect(parseOutput(`${text} `, 'the output').kind).toBe('invalid');
});

test('counts bytes, not characters', () => {
  const text = JSON.stringify({ text: 'ö'.repeat(40_000) });

  expect(parseOutput(text, 'the output')).toMatchObject({
    message: expect.stringContaining('the output has 80011 bytes, but at most 65536'),
  });
});

test('refuses what is nested so deep that it could not be written again', () => {
  const text = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

  expect(parseOutput(text, 'the output')).toMatchObject({
    kind: 'invalid',
    message: 'the output is nested more than 64 levels deep',
  });
});

test('shows no piece of a text that is not JSON: it could be the half of a secret', () => {
  const told = parseOutput('{"a": hunter2-of-the-db}', 'the output');

  expect(told).toEqual({
    kind: 'invalid',
    message: "the output is not JSON: Unexpected token 'h'",
  });
});
