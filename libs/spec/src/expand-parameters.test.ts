import { describe, expect, test } from 'vitest';
import { describePlan, expand, options } from './expand.test-kit.ts';
import { validateSpec } from './expand.ts';

const noop = { executor: 'noop' };

/** The ids of a class `a` that uses these parameters. */
function idsOf(spec: object, parameters: unknown): readonly string[] {
  return describePlan(expand({ ...spec, tasks: [{ class: 'a', ...noop, parameters }] })).ids;
}

describe('parameters', () => {
  test('are taken in order of declaration, the last one fastest', () => {
    const spec = { parameters: { B: [1, 2], A: ['x', 'y'] } };

    expect(idsOf(spec, ['A', 'B'])).toEqual(['a:B=1,A=x', 'a:B=1,A=y', 'a:B=2,A=x', 'a:B=2,A=y']);
    expect(idsOf(spec, ['A'])).toEqual(['a:A=x', 'a:A=y']);
    expect(idsOf(spec, [])).toEqual(['a']);
  });

  test('may be written with braces', () => {
    const spec = { parameters: { '{{A}}': [1], '{{ B }}': [2] }, include: [{ '{{A}}': 3, B: 4 }] };

    expect(idsOf(spec, ['A', '{{B}}'])).toEqual(['a:A=1,B=2', 'a:A=3,B=4']);
  });

  test('are used where a placeholder names them', () => {
    const plan = expand({
      parameters: { A: [1, 2], B: [3, 4] },
      tasks: [{ class: 'a', details: { command: ['echo', '{{B}}'] } }],
    });

    expect(describePlan(plan).ids).toEqual(['a:B=3', 'a:B=4']);
    expect([...plan.payloads()]).toEqual([{ values: [3] }, { values: [4] }]);
  });

  test('run from one number to another, both included', () => {
    expect(idsOf({ parameters: { Y: { from: 2012, to: 2015 } } }, ['Y'])).toEqual([
      'a:Y=2012',
      'a:Y=2013',
      'a:Y=2014',
      'a:Y=2015',
    ]);
    expect(idsOf({ parameters: { Y: { from: -1, to: 4, step: 3 } } }, ['Y'])).toEqual([
      'a:Y=-1',
      'a:Y=2',
    ]);
  });

  test.each([
    [undefined, '2024-02-28', '2024-03-01', ['2024-02-28', '2024-02-29', '2024-03-01']],
    ['1w', '2024-12-25', '2025-01-08', ['2024-12-25', '2025-01-01', '2025-01-08']],
    ['1mo', '2024-01-31', '2024-04-30', ['2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30']],
    ['2mo', '2023-12-31', '2024-02-28', ['2023-12-31']],
    ['1y', '2024-02-29', '2026-03-01', ['2024-02-29', '2025-02-28', '2026-02-28']],
  ])('run over dates by %s', (step, from, to, expected) => {
    const range = step === undefined ? { from, to } : { from, to, step };

    expect(idsOf({ parameters: { D: range } }, ['D'])).toEqual(expected.map((day) => `a:D=${day}`));
  });

  test('leave out what is excluded, for tasks that use all of it', () => {
    const spec = {
      parameters: { A: [1, 2], B: [1, 2] },
      exclude: [
        { A: 1, B: 1 },
        { B: 2, A: 2 },
      ],
    };

    expect(idsOf(spec, ['A', 'B'])).toEqual(['a:A=1,B=2', 'a:A=2,B=1']);
    expect(idsOf(spec, ['A'])).toEqual(['a:A=1', 'a:A=2']);
    expect(idsOf(spec, ['B'])).toEqual(['a:B=2', 'a:B=1']);
  });

  test('lose a value that is excluded altogether', () => {
    expect(idsOf({ parameters: { A: [1, 2], B: [1, 2] }, exclude: [{ A: 1 }] }, ['A'])).toEqual([
      'a:A=2',
    ]);
  });

  test('take in complete rows with new values', () => {
    const spec = {
      parameters: { A: [1], B: [1] },
      include: [
        { A: 1, B: 1 },
        { B: 9, A: 8 },
      ],
    };

    expect(idsOf(spec, ['A', 'B'])).toEqual(['a:A=1,B=1', 'a:A=8,B=9']);
    expect(idsOf(spec, ['B'])).toEqual(['a:B=1', 'a:B=9']);
  });

  test('may be rows, which are made unique for the columns in use', () => {
    const spec = {
      parameters: [
        { CITY: 'oslo', YEAR: 2012 },
        { CITY: 'rome', YEAR: 2012 },
        { YEAR: 2013, CITY: 'oslo' },
      ],
    };

    expect(idsOf(spec, ['CITY', 'YEAR'])).toEqual([
      'a:CITY=oslo,YEAR=2012',
      'a:CITY=rome,YEAR=2012',
      'a:CITY=oslo,YEAR=2013',
    ]);
    expect(idsOf(spec, ['CITY'])).toEqual(['a:CITY=oslo', 'a:CITY=rome']);
    expect(idsOf({ ...spec, exclude: [{ CITY: 'oslo' }] }, ['YEAR'])).toEqual(['a:YEAR=2012']);
  });

  test('of a task are added to those of the run, or take their place', () => {
    const spec = { parameters: { A: [1, 2], B: [1, 2] } };

    expect(idsOf(spec, { C: [7, 8] })).toEqual(['a:C=7', 'a:C=8']);
    const plan = expand({
      ...spec,
      exclude: [{ A: 1, B: 1 }],
      tasks: [
        {
          class: 'a',
          parameters: { B: [5, 6], C: [7] },
          details: { command: ['{{A}}{{B}}{{C}}'] },
        },
      ],
    });
    expect(describePlan(plan).ids).toEqual([
      'a:A=1,B=5,C=7',
      'a:A=1,B=6,C=7',
      'a:A=2,B=5,C=7',
      'a:A=2,B=6,C=7',
    ]);
  });

  test('keep 1 and "1" apart', () => {
    expect(idsOf({ parameters: { A: [1, '1', true, null, { a: 1 }, [1]] } }, ['A'])).toHaveLength(
      6,
    );
  });

  test('are encoded in ids', () => {
    expect(idsOf({ parameters: { A: ['new york', 'a/b,c=d', 'ü'] } }, ['A'])).toEqual([
      'a:A=new%20york',
      'a:A=a%2Fb%2Cc%3Dd',
      'a:A=%C3%BC',
    ]);
  });

  test('point out an exclude that does nothing', () => {
    const spec = {
      parameters: { A: [1, 2], B: [1, 2] },
      exclude: [{ A: 3 }, { A: 1 }],
      tasks: [{ class: 'a', ...noop }],
    };

    expect(validateSpec(spec, options).warnings).toEqual([
      { path: ['exclude', 0, 'A'], message: 'A never is 3: nothing is excluded' },
    ]);
  });

  test('that are too many are refused before they are listed', () => {
    const axis = { from: 1, to: 1_000_000 };
    const spec = {
      parameters: { A: axis, B: axis, C: axis, D: axis },
      tasks: [{ class: 'a', ...noop, parameters: ['A', 'B', 'C', 'D'] }],
    };

    expect(validateSpec(spec, options).issues).toEqual([
      {
        path: ['tasks', 0],
        message:
          'the parameters make 1000000000000000000000000 combinations, more than the limit of 2000000',
      },
    ]);
  });
});
