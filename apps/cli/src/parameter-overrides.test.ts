import { describe, expect, test } from 'vitest';
import { overrideParameters, parseOverrides } from './parameter-overrides.ts';

const spec = {
  parameters: { CITY: ['seattle', 'new-york'], YEAR: { from: 2012, to: 2015 }, N: [1, 2] },
  exclude: [{ CITY: 'new-york', YEAR: 2012 }, { N: 2 }],
  include: [{ CITY: 'boston', YEAR: 2012, N: 1 }],
  tasks: [],
};

describe('parseOverrides', () => {
  test('reads names with lists of values, and adds up what is said twice', () => {
    const overrides = parseOverrides(['CITY=a, b', 'N=1', 'CITY=b,c']);

    expect([...overrides]).toEqual([
      ['CITY', ['a', 'b', 'c']],
      ['N', ['1']],
    ]);
  });

  test.each(['CITY', 'CITY=', 'CITY=a,,b', '=a', '2X=a'])('refuses %s', (text) => {
    expect(() => parseOverrides([text])).toThrow(`-p ${text}: write a name and values`);
  });
});

describe('overrideParameters', () => {
  test('replaces an axis and leaves the others', () => {
    const changed = overrideParameters(spec, parseOverrides(['CITY=seattle,boston']));

    expect(changed).toMatchObject({
      parameters: { CITY: ['seattle', 'boston'], YEAR: { from: 2012, to: 2015 }, N: [1, 2] },
    });
  });

  test('keeps the type that values of the axis have', () => {
    const changed = overrideParameters(spec, parseOverrides(['YEAR=2014', 'N=2,7']));

    expect(changed).toMatchObject({ parameters: { YEAR: [2014], N: [2, 7] } });
  });

  test('takes a value for text where the axis holds text', () => {
    const versions = { parameters: { V: ['1.0', '2.0'] } };

    const changed = overrideParameters(versions, parseOverrides(['V=3']));

    expect(changed).toEqual({ parameters: { V: ['3'] } });
  });

  test('drops rows of exclude and include whose values are gone', () => {
    const changed = overrideParameters(spec, parseOverrides(['CITY=seattle']));

    expect(changed).toMatchObject({ exclude: [{ N: 2 }], include: [] });
  });

  test('finds an axis that is written as a placeholder', () => {
    const written = { parameters: { '{{CITY}}': ['a', 'b'] } };

    const changed = overrideParameters(written, parseOverrides(['CITY=b']));

    expect(changed).toEqual({ parameters: { '{{CITY}}': ['b'] } });
  });

  test('keeps the rows of a list that have one of the values', () => {
    const rows = {
      parameters: [
        { A: 1, B: 'x' },
        { A: 2, B: 'y' },
        { A: 3, B: 'x' },
      ],
    };

    const changed = overrideParameters(rows, parseOverrides(['B=x', 'A=3,2']));

    expect(changed).toEqual({ parameters: [{ A: 3, B: 'x' }] });
  });

  test('names what there is where the spec has no such parameter', () => {
    expect(() => overrideParameters(spec, parseOverrides(['TOWN=a']))).toThrow(
      '-p TOWN: the spec has no run-wide parameter of that name; there are CITY, YEAR, N',
    );
  });

  test('says so where no row is left', () => {
    const rows = { parameters: [{ A: 1 }, { A: 2 }] };

    expect(() => overrideParameters(rows, parseOverrides(['A=3']))).toThrow(
      '-p A=3: no row of the parameters has that; there are 1, 2',
    );
  });

  test('gives back the same spec where nothing is asked for', () => {
    expect(overrideParameters(spec, new Map())).toBe(spec);
  });
});
