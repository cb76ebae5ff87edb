import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotFoundError, SetupError } from '@runnel/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadExecutors } from './load-executors.ts';

const shout = fileURLToPath(new URL('../../../examples/own-executor/shout.ts', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runnel-registry-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeModule(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const executorText = (name: string, more = '') => `{
  name: '${name}', lane: 'waits', maxBatch: 7, details: { safeParse: () => ({ success: true }) },
  open: async () => ({}), ${more}
}`;

test('knows the built-in executors', async () => {
  const registry = await loadExecutors();

  expect(registry.names()).toEqual(['local', 'function', 'noop', 'sleep']);
  expect(registry.lane('local')).toBe('computes');
  expect(registry.lane('sleep')).toBe('waits');
  expect(registry.maxBatch('local')).toBe(1);
  expect(registry.maxBatch('function')).toBe(256);
  expect(registry.details('noop').safeParse({}).success).toBe(true);
});

test('runs the executor of the example', async () => {
  const registry = await loadExecutors({ modules: [shout] });
  const environment = { dataDir: folder, concurrency: 1, functions: [], killGraceMs: 100 };
  await using open = await registry.open('shout', environment);
  const written: unknown[] = [];
  const task = {
    run: { id: 'run-1', name: null },
    task: { id: 'a', number: 0, class: 'a', attempt: 1 },
    idempotencyKey: 'run-1.a.1',
    details: registry.details('shout').parse({ text: 'hello' }),
    inputs: {},
    timeoutMs: null,
    successExitCodes: [0],
    isolated: false,
    secret: () => Promise.reject(new Error('there are none here')),
    log: { write: (text: unknown) => written.push(text) > 0, drained: async () => undefined },
  };

  const results: unknown[] = [];
  await open.execute({ tasks: [task], signal: new AbortController().signal }, (_, result) =>
    results.push(result),
  );

  expect(results).toEqual([{ outcome: 'succeeded', output: { loud: 'HELLO!' } }]);
  expect(written).toEqual(['HELLO!\n']);
});

test('takes every export that is an executor, also the default one, and leaves others alone', async () => {
  const file = await writeModule(
    'many.mjs',
    `export const one = ${executorText('one')};
     export const again = one;
     export const number = 5;
     export default ${executorText('two')};`,
  );

  const registry = await loadExecutors({ modules: [file] });

  expect(registry.names().slice(4)).toEqual(['one', 'two']);
  expect(registry.maxBatch('two')).toBe(7);
});

test.each([
  ['export const x = 1;', 'exports no executor; export one: export const mine = defineExecutor('],
  [
    `export const x = ${executorText('local')};`,
    'the name "local" is taken by a built-in executor',
  ],
  [`export const x = ${executorText('a b')};`, 'the export "x": name must be letters'],
  [`export const x = ${executorText('a', 'maxBatch: 1000')};`, 'maxBatch must be a whole number'],
  [`export const x = ${executorText('a', "lane: 'fast'")};`, 'lane must be computes or waits'],
  [`export const x = ${executorText('a', 'details: {}')};`, 'details must be a zod schema'],
  ['throw new Error("broken")', 'can not be imported: Error: broken'],
])('refuses a module: %s', async (text, message) => {
  const file = await writeModule('mine.mjs', text);

  const loading = loadExecutors({ modules: [file] });

  await expect(loading).rejects.toThrow(SetupError);
  await expect(loading).rejects.toThrow(`${file}`);
  await expect(loading).rejects.toThrow(message);
});

test('names a module that is missing', async () => {
  const loading = loadExecutors({ modules: ['./no/such/module.ts'] });

  await expect(loading).rejects.toThrow(SetupError);
  await expect(loading).rejects.toThrow(/no file \/.*no\/such\/module.ts/);
});

test('names both modules that use a name', async () => {
  const first = await writeModule('first.mjs', `export const x = ${executorText('mine')};`);
  const second = await writeModule('second.mjs', `export const x = ${executorText('mine')};`);

  const loading = loadExecutors({ modules: [first, second] });

  await expect(loading).rejects.toThrow(`${second}: the name "mine" is taken by the executor in`);
  await expect(loading).rejects.toThrow(first);
});

test('tells which name was meant', async () => {
  const registry = await loadExecutors();

  expect(() => registry.lane('locl')).toThrow(NotFoundError);
  expect(() => registry.lane('locl')).toThrow(
    'no executor is named "locl" (did you mean "local"?)',
  );
});
