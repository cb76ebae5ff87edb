import { fileURLToPath } from 'node:url';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { functionExecutor } from './index.ts';

const module = fileURLToPath(new URL('./functions-for-tests.ts', import.meta.url));
const value = 'hunter2-of-the-db';
const secrets = { DB: value };

let harness: ExecutorHarness;

beforeEach(async () => {
  vi.stubEnv('RUNNEL_SECRET_DB', value);
  harness = await openExecutor(functionExecutor, { functions: [module], concurrency: 1 });
});

afterEach(async () => {
  await harness[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

function tell(way: string, secret = 'DB') {
  return { details: { name: 'tell', input: { secret, way } }, secrets };
}

describe.each([
  ['in a thread', false],
  ['in a process of its own', true],
])('a function %s', (_, isolated) => {
  test('gets a secret, and its log, its error and its output do not show it', async () => {
    const ways = ['log', 'error', 'output'].map((way) => ({ ...tell(way), isolated }));

    const [log, error, output] = await harness.runBatch(ways);

    expect(log?.result).toEqual({ outcome: 'succeeded', output: { length: value.length } });
    expect(log?.log.text()).toBe('it is hun\nalso ***\n');
    expect(error?.result).toMatchObject({ message: "Error: can't log in with ***" });
    expect(output?.result).toMatchObject({ output: { length: value.length, value: '***' } });
    expect(output?.log.text()).toContain('the output held a secret');
  });

  test('fails for good where there is no such secret', async () => {
    const { result } = await harness.run({ ...tell('log', 'OTHER'), isolated });

    expect(result).toEqual({
      outcome: 'failed',
      reason: 'secret-missing',
      message: 'this test has no secret "OTHER"',
      retryable: false,
    });
  });
});

test('shows no half of a secret where a log that is too long was cut', async () => {
  const { log } = await harness.run(tell('flood'));

  expect(log.bytes).toBeGreaterThan(100_000);
  expect(log.text()).toMatch(/characters left out …\n\d+ \*\*\*\n/);
  expect(log.text()).not.toMatch(/unter|r2-of|the-db/);
});

test('a secret that was not waited for reaches no later task', async () => {
  const tasks = ['keep', 'tell-kept'].map((name) => ({ details: { name }, secrets }));

  const [, later] = await harness.runBatch(tasks);

  expect(later?.result).toMatchObject({ output: { kept: 'nothing' } });
});

test('no function finds one in its environment', async () => {
  const { result } = await harness.run({ details: { name: 'where-am-i' } });

  expect(JSON.stringify(result)).not.toContain('RUNNEL_SECRET');
});
