import { ApiError, UnreachableError } from '@runnel/client';
import { NotFoundError, SetupError, SpecError } from '@runnel/core';
import { expect, test } from 'vitest';
import { exitCodeOfError, exitCodeOfRun, StackError, UsageError } from './exit-codes.ts';

function apiError(status: number): ApiError {
  return new ApiError({ type: 'about:blank', title: '', status, detail: '', code: 'X' });
}

test.each([
  ['succeeded', 0],
  ['failed', 1],
  ['cancelled', 4],
] as const)('a run that %s ends with %i', (state, code) => {
  expect(exitCodeOfRun(state)).toBe(code);
});

test.each([
  ['wrong usage', new UsageError('x'), 2],
  ['a wrong spec', new SpecError([]), 2],
  ['wrong settings', new SetupError('x'), 2],
  ['what is not there', new NotFoundError('x'), 2],
  ['a spec that the server refuses', apiError(422), 2],
  ['a missing token', apiError(401), 2],
  ['a server without Redis', apiError(503), 3],
  ['a bug in the server', apiError(500), 1],
  ['no server', new UnreachableError('http://127.0.0.1:9', 'x'), 3],
  ['a stack that does not start', new StackError('x'), 3],
  ['a bug', new TypeError('x'), 1],
])('%s ends with its own code', (_, error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});
