import { finishSteps } from '@runnel/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitSpec } from './split-json.ts';

test('cuts every document where JSON.parse would', () => {
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\\"', '{', ']'));
  const document = fc.tuple(
    fc.dictionary(
      name.filter((key) => key !== 'tasks'),
      fc.jsonValue(),
      { noNullPrototype: true },
    ),
    fc.array(fc.jsonValue()),
    fc.nat(2),
  );
  fc.assert(
    fc.property(document, ([head, tasks, indent]) => {
      // Escapes in a key make it unusual: then nothing is cut.
      fc.pre(!Object.keys(head).some((key) => JSON.stringify(key).includes('\\')));
      const text = JSON.stringify({ ...head, tasks, zuletzt: 1 }, null, indent);

      const split = finishSteps(splitSpec(text));

      if (tasks.length === 0) return;
      expect(JSON.parse(split?.head ?? '')).toEqual(
        JSON.parse(JSON.stringify({ ...head, tasks: null, zuletzt: 1 })),
      );
      const texts = tasks.map((_, index) => {
        const range = split?.taskAt(index);
        return range?.text.slice(range.start, range.end) ?? '';
      });
      expect(texts.map((one) => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(tasks)));
    }),
  );
});

test.each([
  '',
  '{',
  '[]',
  '{}',
  '{"tasks":{}}',
  '{"tasks":[1}',
  '{"tasks":[1]',
  '{"tasks":[1]}}',
  '{"tasks":[1],"tasks":[2]}',
  '{"tasks":["]}',
  '{"t\\u0061sks":[1]}',
  '{tasks:[1]}',
  '{"tasks":[1],}',
  '{"tasks":[,]}',
])('leaves %s to who reads it as a whole', (text) => {
  expect(finishSteps(splitSpec(text))).toBeNull();
});
