import type { Json } from '@runnel/core';
import { expect, test } from 'vitest';
import { executorCatalog } from './catalog.ts';
import { loadExecutors } from './load-executors.ts';

const catalog = executorCatalog(await loadExecutors());

test('accepts right details', () => {
  const details = { command: ['echo', 1, true], environment: { A: 'b', N: 3 }, cwd: 'sub' };

  expect(catalog.check('local', details)).toEqual([]);
  expect(catalog.check('noop', {})).toEqual([]);
  expect(catalog.check('function', { name: 'greet', input: [1, { a: null }] })).toEqual([]);
});

test.each<[string, Json, readonly (string | number)[], string]>([
  ['local', {}, ['command'], 'missing (expected'],
  ['local', { command: 'echo hi' }, ['command'], 'for a shell ["sh", "-c", "echo hi"]'],
  ['local', { command: [] }, ['command'], 'needs at least the name of a program'],
  ['local', { command: ['echo', {}] }, ['command', 1], 'expected string or number or boolean'],
  ['local', { command: ['a'], comand: 1 }, ['comand'], '(did you mean "command"?)'],
  ['local', { command: ['a'], env: {} }, ['env'], 'known: command, environment, cwd, stdin'],
  ['local', { command: ['a'], environment: { 'A=B': 'c' } }, ['environment', 'A=B'], 'without "="'],
  [
    'local',
    { command: ['a'], environment: { RUNNEL_OUTPUT: 'x' } },
    ['environment', 'RUNNEL_OUTPUT'],
    'set by Runnel',
  ],
  ['local', { command: ['a\0b'] }, ['command', 0], 'NUL'],
  ['sleep', { ms: -1 }, ['ms'], '>=0'],
  ['sleep', { ms: '1s' }, ['ms'], 'expected number'],
  ['noop', { output: [1] }, ['output'], 'expected record'],
  ['locl', {}, [], '(did you mean "local"?)'],
])('finds what is wrong: %s %j', (executor, details, path, message) => {
  const issues = catalog.check(executor, details);

  expect(issues).toHaveLength(1);
  expect(issues[0]?.path).toEqual(path);
  expect(issues[0]?.message).toContain(message);
});

test('takes a leaf with a placeholder for right', () => {
  expect(catalog.check('sleep', { ms: '{{MS}}' })).toEqual([]);
  expect(catalog.check('local', { command: '{{outputs.plan.command}}' })).toEqual([]);
});

test('finds a wrong name although its value is a placeholder', () => {
  const details = { command: ['a'], comand: '{{X}}', environment: { RUNNEL_OUTPUT: '{{X}}' } };

  expect(catalog.check('local', details).map((issue) => issue.path)).toEqual([
    ['environment', 'RUNNEL_OUTPUT'],
    ['comand'],
  ]);
});

test('finds everything at once', () => {
  const details = { command: [], cwd: {}, enviroment: {} };

  expect(catalog.check('local', details).map((issue) => issue.path)).toEqual([
    ['command'],
    ['cwd'],
    ['enviroment'],
  ]);
});

test('takes a reference to a secret for a text, in the environment and as stdin', () => {
  const details = {
    command: ['psql'],
    environment: { PGPASSWORD: { secret: 'DB_PASSWORD' } },
    stdin: { secret: 'SCRIPT' },
  };

  expect(catalog.check('local', details)).toEqual([]);
});

test.each<[Json, readonly (string | number)[], string]>([
  [{ stdin: { secret: 'a b' } }, ['stdin'], '"a b" can\'t name a secret'],
  [{ stdin: { secret: '{{NAME}}' } }, ['stdin'], 'placeholders are not filled in here'],
  [{ environment: { A: { secret: 'X', b: 1 } } }, ['environment', 'A'], 'without "b"'],
  [{ environment: { A: { secert: 'X' } } }, ['environment', 'A'], 'expected string or number'],
  [{ command: ['a', { secret: 'X' }] }, ['command', 1], 'only in environment.* and stdin'],
  [{ cwd: { secret: 'X' } }, ['cwd'], 'only in environment.* and stdin'],
  [{ environment: { RUNNEL_DATA: { secret: 'X' } } }, ['environment', 'RUNNEL_DATA'], 'by Runnel'],
])('finds what is wrong with a reference to a secret: %j', (part, path, message) => {
  const issues = catalog.check('local', { command: ['a'], ...Object(part) });

  expect(issues).toHaveLength(1);
  expect(issues[0]?.path).toEqual(path);
  expect(issues[0]?.message).toContain(message);
});

test('does not take for a reference what a placeholder brought', () => {
  const written = { command: ['a'], stdin: '{{VALUE}}' };

  const issues = catalog.check('local', { command: ['a'], stdin: { secret: 'DB' } }, written);

  expect(issues.map(({ path }) => path)).toEqual([['stdin']]);
});

test('leaves what looks like a reference alone where an executor takes none', () => {
  const details = { name: 'greet', input: { secret: 'not a name' } };

  expect(catalog.check('function', details)).toEqual([]);
});
