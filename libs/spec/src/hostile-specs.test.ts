import { describe, expect, test } from 'vitest';
import { options } from './expand.test-kit.ts';
import { validateSpec } from './expand.ts';

const noop = { executor: 'noop' };

/** The first message; what would take hours runs into the timeout of the test. */
function firstMessage(spec: unknown): string | undefined {
  return validateSpec(spec, options).issues[0]?.message;
}

describe('a spec that means harm', () => {
  test('gets no nearest name for each of a hundred thousand unknown parents', () => {
    const tasks = Array.from({ length: 20_000 }, (_, index) => ({
      class: `class_${index}`,
      ...noop,
      parents: ['klass_1', 'klass_2', 'klass_3', 'klass_4', 'klass_5'],
    }));

    expect(firstMessage({ tasks })).toBe(
      'no task has the class "klass_1" (did you mean "class_1"?)',
    );
  });

  test('can not name a million parameters', () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`P${index}`, [1]]),
    );

    expect(firstMessage({ parameters, tasks: [{ class: 'a', ...noop }] })).toBe(
      'there are more than 100 parameters',
    );
  });

  test('can not hide a million colons in an id', () => {
    const parents = [{ id: ':'.repeat(1_000_000) }];

    expect(firstMessage({ tasks: [{ class: 'a', ...noop, parents }] })).toBe(
      'expected at most 256 characters',
    );
  });

  test('can not nest sections without end', () => {
    const text = '{{#outputs.a}}'.repeat(20_000) + '{{/outputs.a}}'.repeat(20_000);

    expect(firstMessage({ tasks: [{ class: 'a', ...noop, details: text }] })).toMatch(
      /^sections are nested deeper than 64/,
    );
  });

  test('can not name each of many tasks as the child of each of many others', () => {
    const tasks = Array.from({ length: 3000 }, (_, index) =>
      index < 1500
        ? { class: 'a', id: `a${index}`, ...noop, children: ['b'] }
        : { class: 'b', id: `b${index}`, ...noop },
    );

    expect(firstMessage({ tasks })).toBe(
      'more than 2000000 pairs of entries depend on each other: let them meet in a barrier',
    );
  }, 30_000);

  test('can not be a cyclic object, nor hold what is no JSON', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['details'] = [cyclic];

    expect(firstMessage({ tasks: [cyclic] })).toBe('nested deeper than 64 levels');
    expect(firstMessage({ tasks: [new Date()] })).toBe('not a plain JSON object');
    expect(firstMessage({ tasks: [() => 1] })).toBe('a function is not a JSON value');
    expect(firstMessage({ tasks: [Number.NaN] })).toBe('NaN is not a number that JSON can say');
    expect(firstMessage(JSON.parse('{"tags": {"__proto__": "x"}}'))).toBe(
      'the name "__proto__" is not allowed',
    );
  });
});
