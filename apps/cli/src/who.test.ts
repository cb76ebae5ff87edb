import { hostname, userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { UsageError } from './exit-codes.ts';
import { whoAsks } from './who.ts';

test('who asks is the user and the machine', () => {
  expect(whoAsks({ env: {} })).toBe(`${userInfo().username}@${hostname()}`);
});

test('RUNNEL_BY says otherwise', () => {
  expect(whoAsks({ env: { RUNNEL_BY: 'nightly job 7' } })).toBe('nightly job 7');
});

test.each([' x', 'x ', 'tab\there', 'é', 'a'.repeat(201)])('RUNNEL_BY can not be %j', (by) => {
  expect(() => whoAsks({ env: { RUNNEL_BY: by } })).toThrow(UsageError);
});
