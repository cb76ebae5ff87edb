import { expect, test } from 'vitest';
import { fromTaskId, toClass, toTaskId } from './names.ts';

test.each([
  ['a', 'a'],
  ['a.{{DATE}}:2022-01-01', 'a.{{DATE}}:2022-01-01'],
  ['with space\tand tab', 'with%20space%09and%20tab'],
  ['100%', '100%25'],
  ['42', '%342'],
  ['straße 7', 'straße%207'],
])('the name %s is the id %s, and back', (name, id) => {
  expect(toTaskId(name)).toBe(id);
  expect(fromTaskId(id)).toBe(name);
});

test('long names are cut, and stay different', () => {
  const long = 'x'.repeat(300);

  expect(toTaskId(`${long}1`)).toHaveLength(200);
  expect(toTaskId(`${long}1`)).not.toBe(toTaskId(`${long}2`));
});

test('an id with percent signs of its own is its own name', () => {
  expect(fromTaskId('clean:CITY=s%C3%A9')).toBe('clean:CITY=s%C3%A9');
  expect(fromTaskId('50%')).toBe('50%');
});

test.each([
  ['pull', 'pull'],
  ['2022', '_2022'],
  ['a.b c', 'a_b_c'],
])('the name %s is of class %s', (name, expected) => {
  expect(toClass(name)).toBe(expected);
});
