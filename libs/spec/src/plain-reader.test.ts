import { isJsonObject, type Json } from '@runnel/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlainReader } from './plain-reader.ts';
import { formOf, numberOf, SingleTasks } from './single-tasks.ts';

/** What was taken out of a line, in words; and whether the rest is that of another line. */
function read(text: string, before?: string) {
  const tasks = new SingleTasks();
  const line = new PlainReader(tasks);
  if (before !== undefined && line.read(rangeOf(before))) line.addRest();
  const range = rangeOf(text);
  if (!line.read(range)) return null;
  const { detailsStart, detailsEnd } = line;
  const details = range.bytes.toString('utf8', detailsStart, detailsEnd);
  return {
    id: line.name === -1 ? undefined : tasks.names.text(line.name),
    parents: line.parents.map((ref) =>
      formOf(ref) === 'id'
        ? { id: tasks.names.text(numberOf(ref)) }
        : tasks.classes[numberOf(ref)]?.name,
    ),
    details: detailsEnd === 0 ? undefined : details,
    hasSameRest: line.findRest() === 0,
  };
}

/** Within a longer text, which must not be read. */
function rangeOf(text: string) {
  const [before, after] = ['{"id":"before"}\n', '\n{"id":"after"}'];
  const start = Buffer.byteLength(before);
  const bytes = Buffer.from(before + text + after);
  return { bytes, start, end: start + Buffer.byteLength(text) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseFields(text: string): Readonly<Record<string, Json>> {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

const usualId = fc.constantFrom('t1', 'x:y', 'parents', 'id', '-');
const id = fc.oneof(
  { weight: 20, arbitrary: usualId },
  { weight: 1, arbitrary: fc.constantFrom('a b', '12', '"', '\\', 'ü', '') },
);
const ref = fc.oneof(
  { weight: 20, arbitrary: fc.oneof(fc.record({ id }), id) },
  { weight: 1, arbitrary: fc.oneof(fc.record({ class: id }), fc.constant(1)) },
);
const task = fc
  .record(
    {
      class: fc.constantFrom('a', 'b'),
      id,
      parents: fc.array(ref, { maxLength: 3 }),
      details: fc.constantFrom<unknown>({ id: 'x', parents: ['y'] }, ['}', '"', { a: '],' }], 1),
      timeout: fc.constantFrom('5s', '8s', '9s', '"id":"x"'),
    },
    { requiredKeys: ['class'] },
  )
  .chain((fields) =>
    fc
      .shuffledSubarray(Object.entries(fields), { minLength: Object.keys(fields).length })
      .map((entries) => Object.fromEntries(entries)),
  );

/** As other languages write it: with spaces after commas and colons. */
function spaced(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');
}

test('what is taken out of a line is what JSON.parse finds', () => {
  let found = 0;
  fc.assert(
    fc.property(task, fc.boolean(), (fields, isSpaced) => {
      const text = isSpaced ? spaced(fields) : JSON.stringify(fields);

      const line = read(text);

      if (line === null) return;
      found++;
      const parsed = parseFields(text);
      expect({ ...line, details: JSON.parse(line.details ?? 'null') }).toEqual({
        id: parsed['id'],
        parents: parsed['parents'] ?? [],
        details: parsed['details'] ?? null,
        hasSameRest: false,
      });
    }),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(100);
});

/** A line goes unread where the rest of it is known: then that must be all that there is to it. */
test('lines with an equal rest differ only in id, parents and details, whatever was changed in them', () => {
  const change = fc.record({
    at: fc.nat(200),
    drop: fc.nat(3),
    put: fc.constantFrom('', '"', ',', '{', '}', '[', ']', ':', '\\', ' ', 'id', '"id":"x",', '\0'),
  });
  let equal = 0;
  fc.assert(
    fc.property(task, fc.array(change, { minLength: 1, maxLength: 2 }), (fields, changes) => {
      const before = JSON.stringify(fields);
      const after = changes.reduce(
        (text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop),
        before,
      );
      const found = read(after, before);
      if (found?.hasSameRest !== true || !isJson(found.details ?? '0')) return;

      equal++;
      const { id: _, parents: __, details, ...rest } = parseFields(after);
      const { id: ___, parents: ____, details: _____, ...known } = parseFields(before);
      expect(rest).toEqual(known);
      expect(details).toEqual(found.details === undefined ? undefined : JSON.parse(found.details));
    }),
    { numRuns: 5000 },
  );
  expect(equal).toBeGreaterThan(50);
});

test.each([
  '{"class":"a","id":"x","id":"y"}',
  '{"class":"a","parents":[],"parents":["b"]}',
  '{"class":"a","children":[]}',
  '{"class":"a","parents":null}',
  '{"class":"a","id":"\\u0041"}',
  '{"class":"a","i\\u0064":"x"}',
  '{"class":"a","id":"12"}',
  '{"class":"a","parents":["b",]}',
  '{"class":"a","parents":[{"id":"x","on":"done"}]}',
  '{"class":"a"',
  '["class"]',
  '',
])('leaves %s to JSON.parse', (text) => {
  expect(read(text)).toBeNull();
});
