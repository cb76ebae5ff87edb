import {
  AttemptAbort,
  type AttemptResult,
  type Executor,
  type ExecutorEnvironment,
  type Json,
  type JsonObject,
} from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { type ExecutorHarness, openExecutor } from './executor-harness.ts';

/** What an executor can do, told by details that make it happen; what is left out is not tested. */
export interface ExecutorCases {
  readonly success: Json;
  /** Fails by itself. */
  readonly failure?: { readonly details: Json; readonly result: object };
  /** Ends with code 3. */
  readonly exitCode?: Json;
  /** Can't start, and another try can't help. */
  readonly spawnError?: { readonly details: Json; readonly message: RegExp };
  /** Runs until it is stopped. `started`: what it then writes to its log. */
  readonly endless?: { readonly details: Json; readonly started?: string };
  readonly log?: { readonly details: Json; readonly text: string };
  /** Writes at least 50 MB to its log, or less where `bytes` says what limit the executor has. */
  readonly flood?: { readonly details: Json; readonly bytes: number };
  readonly output?: { readonly details: Json; readonly output: JsonObject };
  readonly outputTooLarge?: Json;
}

export interface ExecutorSetup {
  readonly executor: Executor;
  readonly environment?: Partial<ExecutorEnvironment>;
  readonly cases: ExecutorCases;
  /** Names what is left of ended tasks: processes, sessions, files. Empty when all is gone. */
  readonly leftovers?: (harness: ExecutorHarness) => Promise<readonly string[]>;
}

interface Suite extends ExecutorSetup {
  open(): Promise<ExecutorHarness>;
}

/** What every executor is held to. Call it in the executor's own test, with what the executor can do. */
export function executorSuite(name: string, setup: ExecutorSetup): void {
  const suite = { ...setup, open: () => openExecutor(setup.executor, setup.environment) };
  describe(`the executor ${name}`, () => {
    testDeclaration(suite);
    testEnds(suite);
    testOutput(suite);
    testStops(suite);
    testBatches(suite);
  });
}

function testDeclaration({ executor }: Suite): void {
  test('takes between 1 and 256 tasks at once', () => {
    expect(executor.maxBatch).toBeGreaterThanOrEqual(1);
    expect(executor.maxBatch).toBeLessThanOrEqual(256);
  });

  test('refuses a field that it does not know', () => {
    expect(executor.details.safeParse({ 'no such field': 1 }).success).toBe(false);
  });
}

function testEnds(suite: Suite): void {
  const { exitCode, failure, spawnError, success } = suite.cases;

  test('ends a task that succeeds', async () => {
    await using harness = await suite.open();

    const end = await harness.run({ details: success });

    expect(end.result.outcome).toBe('succeeded');
    expect(end.durationMs).toBeGreaterThanOrEqual(0);
    expect(await findLeftovers(suite, harness)).toEqual([]);
  });

  test.skipIf(failure === undefined)('tells why a task failed', async () => {
    await using harness = await suite.open();

    const end = await harness.run({ details: failure?.details ?? null });

    expect(end.result).toMatchObject({ outcome: 'failed', ...failure?.result });
  });

  test.skipIf(exitCode === undefined)('fails with an exit code that is no success', async () => {
    await using harness = await suite.open();
    const details = exitCode ?? null;

    const failed = await harness.run({ details });
    const allowed = await harness.run({ details, successExitCodes: [0, 3] });

    expect(failed.result).toMatchObject({ outcome: 'failed', reason: 'exit', exitCode: 3 });
    expect(allowed.result).toMatchObject({ outcome: 'succeeded', exitCode: 3 });
  });

  test.skipIf(spawnError === undefined)('fails for good what can not start', async () => {
    await using harness = await suite.open();

    const { result } = await harness.run({ details: spawnError?.details ?? null });

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringMatching(spawnError?.message ?? /./),
    });
    expect(await findLeftovers(suite, harness)).toEqual([]);
  });
}

function testOutput(suite: Suite): void {
  const { flood, log, output, outputTooLarge } = suite.cases;

  test.skipIf(log === undefined)('delivers the log', async () => {
    await using harness = await suite.open();

    const end = await harness.run({ details: log?.details ?? null });

    expect(end.log.text()).toContain(log?.text);
  });

  test.skipIf(flood === undefined)(
    'survives a flood of output',
    async () => {
      await using harness = await suite.open();

      const end = await harness.run({ details: flood?.details ?? null });

      expect(end.result.outcome).toBe('succeeded');
      expect(end.log.bytes).toBeGreaterThanOrEqual(flood?.bytes ?? 0);
    },
    60_000,
  );

  test.skipIf(output === undefined)('hands on the output', async () => {
    await using harness = await suite.open();

    const { result } = await harness.run({ details: output?.details ?? null });

    expect(result).toMatchObject({ outcome: 'succeeded', output: output?.output });
  });

  test.skipIf(outputTooLarge === undefined)('refuses an output over the limit', async () => {
    await using harness = await suite.open();

    const { result } = await harness.run({ details: outputTooLarge ?? null });

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'output-invalid',
      message: expect.stringContaining('65536'),
    });
    expect(await findLeftovers(suite, harness)).toEqual([]);
  });
}

function testStops(suite: Suite): void {
  const { endless, success } = suite.cases;

  test('cancels what has not started', async () => {
    await using harness = await suite.open();
    const signal = AbortSignal.abort(new AttemptAbort('cancel'));

    const [first, second] = await harness.runBatch([{ details: success }, { details: success }], {
      signal,
    });

    expect(first?.result).toEqual({ outcome: 'cancelled' });
    expect(second?.result).toEqual({ outcome: 'cancelled' });
  });

  test.skipIf(endless === undefined)('stops a task whose time is over', async () => {
    await using harness = await suite.open();

    const { result } = await harness.run({ details: endless?.details ?? null, timeoutMs: 200 });

    expect(result).toEqual({
      outcome: 'failed',
      reason: 'timeout',
      message: 'timed out after 200 ms',
    });
    expect(await findLeftovers(suite, harness)).toEqual([]);
  });

  for (const cause of ['cancel', 'shutdown', 'lease-lost'] as const) {
    test.skipIf(endless === undefined)(`stops a running task at: ${cause}`, async () => {
      await using harness = await suite.open();
      const abort = new AbortController();
      const started = endless?.started;

      const ending = harness.run(
        { details: endless?.details ?? null },
        {
          signal: abort.signal,
          onLogs: ([log]) => {
            const running = started === undefined ? nextTurn() : log?.contains(started);
            running?.then(
              () => abort.abort(new AttemptAbort(cause)),
              () => undefined,
            );
          },
        },
      );

      expect((await ending).result).toEqual({ outcome: 'cancelled' });
      expect(await findLeftovers(suite, harness)).toEqual([]);
    });
  }
}

function testBatches(suite: Suite): void {
  const { endless, exitCode, failure, success } = suite.cases;
  const failing = failure?.details ?? exitCode;

  test.skipIf(failing === undefined)('ends each task of a batch by itself', async () => {
    await using harness = await suite.open();
    const details = [success, failing ?? null, success];

    const ends = await harness.runBatch(details.map((each) => ({ details: each })));

    expect(ends.map((end) => end.result.outcome)).toEqual(['succeeded', 'failed', 'succeeded']);
  });

  test.skipIf(endless === undefined)('goes on after a task of a batch timed out', async () => {
    await using harness = await suite.open();
    const tasks = [
      { details: success },
      { details: endless?.details ?? null, timeoutMs: 200 },
      { details: success },
    ];

    const ends = await harness.runBatch(tasks);

    expect(ends.map((end) => end.result.outcome)).toEqual(['succeeded', 'failed', 'succeeded']);
  });

  test('carries out as many tasks as a batch may have', async () => {
    await using harness = await suite.open();
    const tasks = Array.from({ length: suite.executor.maxBatch }, () => ({ details: success }));

    const ends = await harness.runBatch(tasks);

    expect(ends.every((end) => end.result.outcome === 'succeeded')).toBe(true);
  });

  test.skipIf(endless === undefined)('runs deliveries beside each other', async () => {
    await using harness = await suite.open();
    const abort = new AbortController();
    const blocked = harness.run({ details: endless?.details ?? null }, { signal: abort.signal });

    const beside = await harness.run({ details: success });
    abort.abort(new AttemptAbort('cancel'));

    expect(beside.result.outcome).toBe('succeeded');
    expect((await blocked).result).toEqual<AttemptResult>({ outcome: 'cancelled' });
  });
}

async function findLeftovers(suite: Suite, harness: ExecutorHarness): Promise<readonly string[]> {
  return (await suite.leftovers?.(harness)) ?? [];
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
