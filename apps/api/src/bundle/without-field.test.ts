import { expect, test } from 'vitest';
import { WithoutField } from './without-field.ts';

const texts: readonly (readonly [string, string])[] = [
  ['{"a":1,"spec":{"spec":[1,{"b":"}"}]},"c":2}', '{"a":1,"spec":null,"c":2}'],
  ['{"spec":"x,\\"}y","a":{"spec":1}}', '{"spec":null,"a":{"spec":1}}'],
  ['{"a":"spec","b":",\\"spec\\":1","spec":7}', '{"a":"spec","b":",\\"spec\\":1","spec":null}'],
  ['{"spec" : [1, 2] ,"a":["spec",{"spec":3}]}', '{"spec" :null,"a":["spec",{"spec":3}]}'],
  ['{"a":"\\\\","spec":null}', '{"a":"\\\\","spec":null}'],
  ['{}', '{}'],
  ['{"a":"ä\u{1f600}"}', '{"a":"ä\u{1f600}"}'],
];

test.each(texts)('of %s only the field goes, in whatever pieces it comes', (text, kept) => {
  const bytes = Buffer.from(text);

  for (const size of [1, 2, 3, 7, bytes.length]) {
    const without = new WithoutField('spec');
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      pieces.push(without.take(bytes.subarray(at, at + size)));
    }
    expect(Buffer.concat(pieces).toString()).toBe(kept);
  }
});
