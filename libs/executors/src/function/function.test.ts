import { fileURLToPath } from 'node:url';
import type { Json } from '@runnel/core';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { executorSuite } from '@runnel/testing/executor-suite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { functionExecutor } from './index.ts';

const module = pathOf('./functions-for-tests.ts');

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

executorSuite('function', {
  executor: functionExecutor,
  environment: { functions: [module] },
  cases: {
    success: { name: 'nothing' },
    failure: {
      details: { name: 'fail' },
      result: { reason: 'error', message: 'TypeError: no luck' },
    },
    spawnError: {
      details: { name: 'great' },
      message: /no function is named "great" \(did you mean "greet"\?\); registered: .*greet/,
    },
    endless: { details: { name: 'busy', input: { ms: 1_000_000 } }, started: 'started' },
    log: { details: { name: 'greet', input: { to: 'Ada' } }, text: 'greeting Ada\n' },
    // A function's log has a limit: the beginning and the end of it arrive.
    flood: { details: { name: 'flood' }, bytes: 262_144 },
    output: {
      details: { name: 'greet', input: { to: 'Ada' } },
      output: { greeting: 'hello Ada' },
    },
    outputTooLarge: { name: 'return-large' },
  },
});

let harness: ExecutorHarness;

beforeEach(async () => {
  vi.stubEnv('RUNNEL_TOKEN', 'canary-token');
  harness = await openExecutor(functionExecutor, { functions: [module], concurrency: 1 });
});

afterEach(async () => {
  await harness[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

function call(name: string, input?: Json) {
  return { details: input === undefined ? { name } : { name, input } };
}

describe('what a function gets and gives', () => {
  test('knows its attempt', async () => {
    const task = { ...call('describe-context'), inputs: { clean: { file: 'a.csv' } } };

    const { result } = await harness.run(task);

    expect(result).toMatchObject({
      output: {
        run: { id: 'run-1', name: 'test' },
        task: { id: 'task-0', number: 0, class: 'task', attempt: 1 },
        inputs: { clean: { file: 'a.csv' } },
        idempotencyKey: 'run-1.task-0.1',
      },
    });
  });

  test('does not see the secrets of the worker, nor what Node is told', async () => {
    const { result } = await harness.run(call('where-am-i'));

    expect(result.outcome).toBe('succeeded');
    expect(JSON.stringify(result)).not.toMatch(/canary|NODE_/);
  });

  test('writes to its log with console and process.stdout too', async () => {
    const { log } = await harness.run(call('print'));

    expect(log.text()).toBe('by stdout\nby stderr\n');
  });

  test('keeps the beginning and the end of a log that is too long', async () => {
    const { log } = await harness.run(call('flood'));

    expect(log.bytes).toBeLessThan(300_000);
    expect(log.text()).toMatch(/ characters left out …\n/);
    expect(log.text()).toMatch(/line 199999\n$/);
  });

  test('is told what is wrong with its input, for good', async () => {
    const { result } = await harness.run(call('greet', { too: 'Ada' }));

    expect(result).toMatchObject({ outcome: 'failed', reason: 'error', retryable: false });
    expect(result).toHaveProperty('message', expect.stringContaining('to: missing'));
    expect(result).toHaveProperty('message', expect.stringContaining('did you mean "to"?'));
  });

  test.each([
    ['return-input', 'text', 'is a string: return a plain object'],
    ['return-input', [1, 2], 'is an array: return a plain object'],
    ['return-map', null, 'is a Map: return a plain object'],
    ['return-cycle', null, 'can not be written as JSON'],
    ['break-output', null, 'count: '],
  ])('refuses an output: %s %j', async (name, input, message) => {
    const { result } = await harness.run(call(name, input));

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'output-invalid',
      message: expect.stringContaining(message),
    });
  });

  test('has no output where null is returned', async () => {
    const { result } = await harness.run(call('return-input', null));

    expect(result).toEqual({ outcome: 'succeeded' });
  });
});
