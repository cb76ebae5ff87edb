import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PatternFinder } from './pattern-finder.ts';
import { finderOf, redactText, StreamRedactor } from './stream-redactor.ts';

function finder(...values: string[]): PatternFinder {
  const found = finderOf(values);
  if (found === null) throw new Error('nothing to look for');
  return found;
}

/** What comes out of each push, and at the end. */
function stream(found: PatternFinder, chunks: readonly (string | Buffer)[]): readonly string[] {
  const redactor = new StreamRedactor(found);
  const pushed = chunks.map((chunk) => redactor.push(Buffer.from(chunk)).toString());
  return [...pushed, redactor.end().toString()];
}

describe('in a text', () => {
  test.each([
    ['a plain one', 'hunter2!', 'the password is hunter2!.', 'the password is ***.'],
    ['each of several', 'hunter2!', 'hunter2!hunter2! hunter2!', '****** ***'],
    ['signs of regular expressions', '.*+?^{}$()|[]\\', 'a .*+?^{}$()|[]\\ b', 'a *** b'],
    ['text beyond ASCII', 'pässwörd-日本', 'x pässwörd-日本 y', 'x *** y'],
    ['a line of one with several', 'first-line\nsecond-line', 'only second-line', 'only ***'],
    ['as JSON', 'say "hi"\tnow', JSON.stringify({ a: 'say "hi"\tnow' }), '{"a":"***"}'],
    ['as JSON in ASCII', 'pässwörd', '"p\\u00e4ssw\\u00f6rd"', '"***"'],
    ['in an address', 'p@ss/w:rd', 'redis://u:p%40ss%2Fw%3Ard@host', 'redis://u:***@host'],
  ])('replaces %s', (_, value, text, expected) => {
    expect(redactText(finder(value), text)).toBe(expected);
  });

  test.each(['', 'u', 'us', 'user:'])('replaces base64 of it behind "%s"', (before) => {
    const value = 'correct-horse-battery';
    const encoded = Buffer.from(`${before}${value}\n`).toString('base64');

    const text = redactText(finder(value), `Basic ${encoded}`);

    expect(text).toMatch(/^Basic [\w+/]{0,8}\*\*\*[\w+/=]{0,4}$/);
  });

  test.each([64, 76])('replaces base64 of it in lines of %i', (width) => {
    const value = Array.from({ length: 40 }, (_, number) => `${number}-`).join('');
    const encoded = Buffer.from(`${value}\n`).toString('base64');
    const lines = encoded.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];

    const text = redactText(finder(value), lines.join('\n'));

    expect(lines.length).toBeGreaterThan(1);
    expect(text).toMatch(/^(\*\*\*\n)+\*\*\*[\w+/=]{0,4}$/);
  });

  test('replaces one that is a part of another, and what both cover', () => {
    const found = finder('secret-abc', 'secret-abcdef', 'abcdef-ghi');

    expect(redactText(found, 'secret-abc secret-abcdef')).toBe('*** ***');
    expect(redactText(found, 'secret-abcdef-ghi!')).toBe('***!');
  });

  test('leaves values of less than six characters alone', () => {
    expect(finderOf(['short', 'ab\ncd'])).toBeNull();
    expect(redactText(finder('short', 'a longer one'), 'short: a longer one')).toBe('short: ***');
  });

  test('gives back a text without secrets as it is', () => {
    expect(redactText(finder('hunter2!'), 'hunter')).toBe('hunter');
  });
});

describe('chunk by chunk', () => {
  test('finds what is spread over two chunks', () => {
    expect(stream(finder('hunter2!'), ['it is hun', 'ter2!, yes'])).toEqual([
      'it is ',
      '***, yes',
      '',
    ]);
  });

  test('finds what comes byte by byte, in the middle of characters', () => {
    const bytes = Buffer.from('x pässwörd-日本 y');
    const chunks = [...bytes].map((byte) => Buffer.from([byte]));

    expect(stream(finder('pässwörd-日本'), chunks).join('')).toBe('x *** y');
  });

  test('passes on at once what can not be the beginning of one', () => {
    expect(stream(finder('hunter2!'), ['hunting', ' hunter'])).toEqual(['hunting', ' ', 'hunter']);
  });

  test('gives back a chunk without secrets as itself', () => {
    const chunk = Buffer.from('nothing to see');

    expect(new StreamRedactor(finder('hunter2!')).push(chunk)).toBe(chunk);
  });

  test('covers what two have in common once, when the second is known only later', () => {
    const found = finder('first-part-common', 'common-second-part');

    expect(stream(found, ['first-part-common', '-second-part!'])).toEqual(['***', '!', '']);
  });

  test('looks for more when there is more to look for, also in what it holds back', () => {
    const redactor = new StreamRedactor(finder('hunter2!'));
    const first = redactor.push(Buffer.from('so hunter'));

    redactor.use(finder('hunter2!', 'hunter-new'));
    const second = redactor.push(Buffer.from('-new.'));

    expect(Buffer.concat([first, second]).toString()).toBe('so ***.');
  });
});

/** Few letters, so that values overlap, repeat and stand within each other. */
const letters = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), minLength: min, maxLength: max });

test('comes to the same for any values, texts and chunks as a slow and simple search', () => {
  const value = letters(6, 14).filter((text) => !text.includes('\n'));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 5 }),
      fc.array(fc.oneof(letters(0, 12), fc.nat(4)), { maxLength: 12 }),
      (values, pieces) => {
        const chunks = pieces.map((piece) =>
          typeof piece === 'string' ? piece : (values[piece % values.length] ?? ''),
        );
        const half = chunks.flatMap((chunk) => [chunk.slice(0, 4), chunk.slice(4)]);

        const expected = redactSlowly(values, chunks.join(''));

        expect(stream(finder(...values), half).join('')).toBe(expected);
        expect(stream(finder(...values), chunks).join('')).toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

function redactSlowly(values: readonly string[], text: string): string {
  const starts: { start: number; end: number }[] = [];
  for (let start = 0; start < text.length; start++) {
    for (const value of values) {
      if (!text.startsWith(value, start)) continue;
      const last = starts.at(-1);
      const end = start + value.length;
      if (last !== undefined && last.end > start) last.end = Math.max(last.end, end);
      else starts.push({ start, end });
    }
  }
  let redacted = '';
  let at = 0;
  for (const { start, end } of starts) {
    redacted += `${text.slice(at, start)}***`;
    at = end;
  }
  return redacted + text.slice(at);
}
