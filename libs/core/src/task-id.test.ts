import fc from 'fast-check';
import { expect, test } from 'vitest';
import { composeTaskId, fnv1a64, fnv1a64Low } from './task-id.ts';

test('the low half of a hash is that of the whole hash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(fnv1a64Low(text)).toBe(Number(fnv1a64(text) & 0xff_ff_ff_ffn));
    }),
  );
});

test.each([
  ['seattle', 'a:X=seattle'],
  ['', 'a:X='],
  [2012, 'a:X=2012'],
  [-0.5, 'a:X=-0.5'],
  ['a b~', 'a:X=a%20b%7E'],
  [{ k: [1] }, 'a:X=%7B%22k%22%3A%5B1%5D%7D'],
  [null, 'a:X=null'],
])('an id has the value %j as %s', (value, id) => {
  expect(composeTaskId('a', ['X'], [value])).toBe(id);
});
