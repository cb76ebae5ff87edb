import { expect, test } from 'vitest';
import { LineSplitter, maxLineBytes } from './line-splitter.ts';

function split(bytes: Uint8Array, size = bytes.length): (readonly [number, string])[] {
  const told: (readonly [number, string])[] = [];
  const splitter = new LineSplitter({
    line: ({ bytes, start, end }, number) =>
      told.push([number, bytes.toString('utf8', start, end)]),
    bad: (message, number) => told.push([number, `! ${message}`]),
  });
  for (let at = 0; at < bytes.length; at += size) splitter.write(bytes.subarray(at, at + size));
  splitter.end();
  return told;
}

test.each([1, 2, 3, 7, 100])('lines are the same, cut into pieces of %d bytes', (size) => {
  const bytes = Buffer.from('{}\n\n{"id":"grün 🌲"}\r\nlast');

  expect(split(bytes, size)).toEqual([
    [1, '{}'],
    [2, ''],
    [3, '{"id":"grün 🌲"}\r'],
    [4, 'last'],
  ]);
});

test('a line break at the end begins no other line', () => {
  expect(split(Buffer.from('a\nb\n'))).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
});

test('a line that is not UTF-8 is told, and those around it are read', () => {
  const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0x0a]), Buffer.from('c')]);

  expect(split(bytes)).toEqual([
    [1, 'a'],
    [2, '! the line is not valid UTF-8'],
    [3, 'c'],
  ]);
});

test.each([1000, 3 * maxLineBytes])(
  'nothing is read after a line that is too long, in pieces of %d bytes',
  (size) => {
    const bytes = Buffer.from(`a\n${'x'.repeat(maxLineBytes + 1)}\nb`);

    expect(split(bytes, size)).toEqual([
      [1, 'a'],
      [2, '! the line has more than 1048576 bytes'],
    ]);
  },
);
