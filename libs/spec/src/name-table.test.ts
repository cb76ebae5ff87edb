import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameTable } from './name-table.ts';

test('gives each text a number of its own and gives it back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 })), (texts) => {
      const table = new NameTable();

      const numbers = texts.map((text) => table.intern(text));

      const unique = [...new Set(texts)];
      expect(numbers).toEqual(texts.map((text) => unique.indexOf(text)));
      expect(unique.map((_, number) => table.text(number))).toEqual(unique);
      expect(unique.map((text) => table.find(text))).toEqual([...unique.keys()]);
    }),
  );
});

test('tells lone halves of characters apart', () => {
  const table = new NameTable();

  table.intern('\ud800');

  expect(table.find('\udc00')).toBe(-1);
  expect(table.find('\ufffd')).toBe(-1);
  expect(table.text(0)).toBe('\ud800');
});

test('grows to a hundred thousand', () => {
  const table = new NameTable();

  for (let index = 0; index < 100_000; index++) table.intern(`task-${index}`);

  expect(table.count).toBe(100_000);
  expect(table.find('task-77777')).toBe(77_777);
  expect(table.find('task-100000')).toBe(-1);
  expect(table.text(99_999)).toBe('task-99999');
});

test('takes a text longer than its first buffers', () => {
  const table = new NameTable();
  const long = 'ü'.repeat(100_000);

  table.intern('a');
  table.intern(long);

  expect(table.text(1)).toBe(long);
  expect(table.find(long)).toBe(1);
});

test('knows ASCII that stands in bytes, and gives back what is not', () => {
  const table = new NameTable();
  const bytes = Buffer.from('"one" "two"');

  expect(table.intern('one')).toBe(0);
  expect(table.internBytes(bytes, 1, 4)).toBe(0);
  expect(table.internBytes(bytes, 7, 10)).toBe(1);
  expect(table.find('two')).toBe(1);
  expect(table.intern('drei ß')).toBe(2);
  expect([0, 1, 2].map((number) => table.text(number))).toEqual(['one', 'two', 'drei ß']);
});
