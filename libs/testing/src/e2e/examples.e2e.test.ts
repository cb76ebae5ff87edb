import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type WireRun } from '@runnel/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findDifferences } from '../../../../examples/climate-report/check-report.ts';
import { Stack } from '../stack.ts';
import { waitForEnd } from './wait-for.ts';

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url));

let stack: Stack;
let client: Client;

beforeAll(async () => {
  stack = await Stack.start({
    api: true,
    workers: 2,
    env: {
      RUNNEL_FUNCTIONS: join(examples, 'function-run', 'functions.ts'),
      RUNNEL_EXECUTORS: join(examples, 'own-executor', 'shout.ts'),
    },
  });
  client = createClient({ url: stack.apiUrl });
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
});

async function runExample(name: string): Promise<WireRun> {
  const source = join(examples, name);
  const text = readFileSync(join(source, 'run.yaml'), 'utf8');
  const { id, warnings } = await client.submitRun({ text, format: 'yaml' }, { source });
  expect(warnings).toEqual([]);
  return await waitForEnd(client, id);
}

test('climate-report: the figures in the report are those of the raw data', async () => {
  const run = await runExample('climate-report');

  expect(run.state).toBe('succeeded');
  expect(findDifferences(join(stack.dir, 'data', 'runs', run.id))).toEqual([]);
});

test('function-run: the best estimate comes close to π', async () => {
  const run = await runExample('function-run');
  const best = await client.getTask(run.id, 'best');

  expect(run.state).toBe('succeeded');
  // The mean of 8 seeds with 1,000,000 darts each; the standard error is 0.0006.
  expect(best.output).toMatchObject({ darts: 8_000_000 });
  expect(best.output).toHaveProperty('pi', expect.closeTo(Math.PI, 2));
});

test('failures: every task ends as its comment says', async () => {
  const run = await runExample('failures');
  const path = join(examples, 'failures', 'expected.json');
  const expected: { run: string; tasks: Record<string, { state: string; attempts: number }> } =
    JSON.parse(readFileSync(path, 'utf8'));
  const { tasks } = await client.getTasks(run.id);

  expect(run.state).toBe(expected.run);
  const found = tasks.map(({ id, state, attempt }) => [id, { state, attempts: attempt }]);
  expect(Object.fromEntries(found)).toEqual(expected.tasks);
});

test('own-executor: the details of each task reach it', async () => {
  const run = await runExample('own-executor');
  const { text } = await client.getLog(run.id, 'shout:WORD=steady');

  expect(run.state).toBe('succeeded');
  expect(text).toContain('STEADY');
});

test('generated-tasks: the sum is made of what the generated tasks counted', async () => {
  const run = await runExample('generated-tasks');
  const { tasks } = await client.getTasks(run.id);

  expect(run.state).toBe('succeeded');
  expect(tasks.map(({ id }) => id)).toEqual([
    'list',
    'sum',
    'list.a-tale',
    'list.emma',
    'list.check',
  ]);
  expect((await client.getTask(run.id, 'sum')).output).toEqual({ words: 12 });
});
