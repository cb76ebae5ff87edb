import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskSplitter } from './task-splitter.ts';

/** The texts of the tasks and what stands around them, cut into pieces of some size; null: it gave up. */
function split(text: string, size = text.length, wantsTasks = true) {
  const told: { head: string | null; tasks: string[] } = { head: null, tasks: [] };
  const splitter = new TaskSplitter({
    head(head) {
      told.head = head;
      return wantsTasks;
    },
    task: ({ bytes, start, end }) => told.tasks.push(bytes.toString('utf8', start, end)),
  });
  const bytes = Buffer.from(text);
  let at = 0;
  for (; at < bytes.length && !splitter.isGivenUp; at += size) {
    splitter.write(bytes.subarray(at, at + size));
  }
  const outside = splitter.isGivenUp ? null : splitter.end();
  const rest = Buffer.concat([splitter.rest, bytes.subarray(at)]).toString();
  return { ...told, outside, before: splitter.before.toString(), rest };
}

// JSON.parse of V8 14.6 now and then reads a key of one escaped character as a backslash.
const name = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"', '\\', '\\"', '{', ']'))
  .filter((key) => key.length !== 1 || JSON.stringify(key).length === 3);
const task = fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true });
// Escapes in a key make it unusual: then nothing is cut.
const fields = fc.dictionary(
  name.filter((key) => key !== 'tasks' && !JSON.stringify(key).includes('\\')),
  fc.jsonValue(),
  { noNullPrototype: true },
);

test('cuts every document where JSON.parse would, however it comes', () => {
  const document = fc.tuple(fields, fc.array(task), fc.nat(2), fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(document, ([head, tasks, indent, size]) => {
      const last = { zuletzt: 'ü' };
      const text = JSON.stringify({ ...head, tasks, ...last }, null, indent);

      const found = split(text, size);

      const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      expect(found.tasks.map((one) => JSON.parse(one))).toEqual(json(tasks));
      expect(JSON.parse(found.head ?? '')).toEqual(json({ ...head, tasks: [] }));
      expect(JSON.parse(found.outside?.text ?? '')).toEqual(json({ ...head, tasks: [], ...last }));
      expect(found.outside?.isHeadFirst).toBe('zuletzt' in head);
    }),
  );
});

test('knows that nothing follows the tasks', () => {
  expect(split('{"a":[],"tasks":[{}, {"tasks":[{}]}]} ').outside).toEqual({
    text: '{"a":[],"tasks":[]} ',
    isHeadFirst: true,
  });
});

test.each([
  '{',
  '[]',
  '{}',
  '{"tasks":{}}',
  '{"tasks":[{}}',
  '{"tasks":[{}]',
  '{"tasks":[{}],"tasks":[{}]}',
  '{"tasks":["]}',
  '{"tasks":[1]}',
  '{"tasks":[{},]}',
  '{"tasks":[,{}]}',
  '{"tasks":[{}{}]}',
  '{"tasks":[{} x]}',
  '{"t\\u0061sks":[{}]}',
  '{"a":1,"t\\u0061sks":[],"tasks":[{}]}',
])('leaves %s to who reads it as a whole', (text) => {
  const { outside } = split(text, 3);

  const isCut = outside !== null && isJson(outside.text);
  expect(isCut).toBe(false);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([1, 2, 5, 100])('gives back what it did not take, in pieces of %d bytes', (size) => {
  const text = '{"a":"ü","tasks":[{"b":"\\\\"} , {"c":"]"},\n 7, {}],"d":0}';

  const found = split(text, size);

  expect(found.tasks).toEqual(['{"b":"\\\\"}', '{"c":"]"}']);
  expect(found.before).toBe('{"a":"ü","tasks":[');
  expect(found.rest).toBe(',\n 7, {}],"d":0}');
});

test('takes nothing where the head is not wanted', () => {
  const found = split('{"tasks":[{}]}', 4, false);

  expect(found.tasks).toEqual([]);
  expect(found.before + found.rest).toBe('{"tasks":[{}]}');
});

test('gives up at bytes that are no characters, and at a task as long as a book', () => {
  const sink = { head: () => true, task: () => undefined };
  const broken = new TaskSplitter(sink);
  const long = new TaskSplitter(sink);

  broken.write(Buffer.concat([Buffer.from('{"tasks":[{"a":"'), Buffer.from([0xff, 0x22, 0x7d])]));
  long.write(Buffer.from(`{"tasks":[{"a":"${'x'.repeat(1024 ** 2)}`));

  expect([broken.isGivenUp, long.isGivenUp]).toEqual([true, true]);
});
