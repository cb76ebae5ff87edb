import { fileURLToPath } from 'node:url';
import { AttemptAbort, type Json } from '@runnel/core';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { functionExecutor } from './index.ts';

const module = pathOf('./functions-for-tests.ts');

let harness: ExecutorHarness;

beforeEach(async () => {
  vi.stubEnv('RUNNEL_TOKEN', 'canary-token');
  harness = await openExecutor(functionExecutor, { functions: [module], concurrency: 1 });
});

afterEach(async () => {
  await harness[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

function call(name: string, input?: Json) {
  return { details: input === undefined ? { name } : { name, input } };
}

describe('threads', () => {
  test('are used again', async () => {
    const first = await harness.run(call('where-am-i'));
    const second = await harness.run(call('where-am-i'));

    expect(threadOf(first.result)).toBe(threadOf(second.result));
  });

  test('are not used while they end by themselves after a signal', async () => {
    const [timedOut, next] = await harness.runBatch([
      { ...call('wait'), timeoutMs: 50 },
      call('where-am-i'),
    ]);
    const later = await harness.run(call('where-am-i'));

    expect(timedOut?.result).toMatchObject({ reason: 'timeout' });
    expect(threadOf(next?.result)).toBe(threadOf(later.result));
  });

  test('that die take only the running task with them', async () => {
    const tasks = [call('nothing'), call('exit'), call('throw-later'), call('nothing')];

    const ends = await harness.runBatch(tasks);

    expect(ends.map((end) => end.result)).toEqual([
      { outcome: 'succeeded' },
      {
        outcome: 'failed',
        reason: 'error',
        message: "the function's thread ended (exit code 3)",
      },
      {
        outcome: 'failed',
        reason: 'error',
        message: "the function's thread ended (Error: out of any function)",
      },
      { outcome: 'succeeded' },
    ]);
  });

  test('leave the main thread free while a function computes', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 5);

    await harness.run(call('busy', { ms: 500 }));
    clearInterval(timer);

    expect(turns).toBeGreaterThan(20);
  });

  test('tell what has ended while the next function computes', async () => {
    const ended = Promise.withResolvers<void>();
    const abort = new AbortController();

    const ending = harness.runBatch([call('nothing'), call('busy', { ms: 1_000_000 })], {
      signal: abort.signal,
      onEnd: (index) => {
        if (index === 0) ended.resolve();
      },
    });
    await ended.promise;
    abort.abort(new AttemptAbort('cancel'));

    expect((await ending).map((end) => end.result.outcome)).toEqual(['succeeded', 'cancelled']);
  });

  test.each(['wait', 'busy'])(
    'end one task that is cancelled, and go on with the next: %s',
    async (name) => {
      const ended = Promise.withResolvers<void>();
      const abort = new AbortController();
      const tasks = [call('nothing'), call(name, { ms: 1_000_000 }), call('nothing')];

      const ending = harness.runBatch(tasks, {
        cancels: {
          isCancelled: (index) => index === 1 && abort.signal.aborted,
          signalOf: () => abort.signal,
        },
        onEnd: () => ended.resolve(),
      });
      await ended.promise;
      abort.abort(new AttemptAbort('cancel'));

      expect((await ending).map((end) => end.result.outcome)).toEqual([
        'succeeded',
        'cancelled',
        'succeeded',
      ]);
    },
  );

  test('take one delivery after another where there are fewer', async () => {
    const ends = await Promise.all([1, 2, 3].map(() => harness.run(call('where-am-i'))));

    expect(new Set(ends.map((end) => threadOf(end.result))).size).toBe(1);
  });

  test('are not waited for by a delivery that is cancelled', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const started = Promise.withResolvers<void>();
    const running = harness.run(call('wait'), {
      signal: first.signal,
      onLogs: ([log]) => {
        log?.contains('started').then(started.resolve, started.reject);
      },
    });
    await started.promise;

    const waiting = harness.run(call('nothing'), { signal: second.signal });
    second.abort(new AttemptAbort('cancel'));

    expect((await waiting).result).toEqual({ outcome: 'cancelled' });
    first.abort(new AttemptAbort('cancel'));
    expect((await running).result).toEqual({ outcome: 'cancelled' });
    expect((await harness.run(call('nothing'))).result.outcome).toBe('succeeded');
  });

  test('hear nothing more of a task that has ended', async () => {
    const late = await harness.run(call('log-later'));
    const waited = await harness.run({ ...call('wait'), timeoutMs: 50 });

    expect(late.log.text()).toBe('');
    expect(waited.log.text()).toBe('started\n');
  });

  test('carry large outputs and logs of a whole batch', async () => {
    const text = 'ö'.repeat(10_000);
    const tasks = Array.from({ length: 200 }, (_, index) => call('return-input', { text, index }));

    const ends = await harness.runBatch(tasks);

    expect(ends[199]?.result).toEqual({ outcome: 'succeeded', output: { text, index: 199 } });
    expect(ends.map((end) => end.order)).toEqual(tasks.map((_, index) => index));
  });
});

describe('an isolated task', () => {
  test('runs in a process of its own', async () => {
    const { result } = await harness.run({ ...call('where-am-i'), isolated: true });

    expect(result.outcome).toBe('succeeded');
    expect(result).not.toHaveProperty('output.pid', process.pid);
    expect(JSON.stringify(result)).not.toMatch(/canary|NODE_/);
  });

  test('takes only its own process down', async () => {
    const { result } = await harness.run({ ...call('kill-process'), isolated: true });

    expect(result).toEqual({
      outcome: 'failed',
      reason: 'poison',
      signal: 'SIGKILL',
      retryable: false,
      message:
        "the function's process was killed by SIGKILL, and so were the workers that ran this task before",
    });
  });

  test('ends at its timeout, although it computes', async () => {
    const task = { ...call('busy', { ms: 1_000_000 }), isolated: true, timeoutMs: 100 };

    const { result } = await harness.run(task);

    expect(result).toMatchObject({ outcome: 'failed', reason: 'timeout' });
  });

  test('writes to its log', async () => {
    const { log } = await harness.run({ ...call('print'), isolated: true });

    expect(log.text()).toBe('by stdout\nby stderr\n');
  });
});

describe('modules', () => {
  test('that can not be imported take only their own functions away', async () => {
    const broken = pathOf('./fixtures/throws-at-import.ts');
    await using other = await openExecutor(functionExecutor, { functions: [broken, module] });

    const missing = await other.run(call('of-the-broken-one'));
    const found = await other.run(call('nothing'));

    expect(missing.result).toMatchObject({
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringContaining(`${broken} could not be imported: Error: this module is`),
    });
    expect(found.result.outcome).toBe('succeeded');
  });

  test('that end their thread fail their tasks for good', async () => {
    const functions = [pathOf('./fixtures/exits-at-import.ts')];
    await using other = await openExecutor(functionExecutor, { functions });

    const [first, second] = await other.runBatch([call('nothing'), call('nothing')]);

    expect(first?.result).toMatchObject({
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringContaining('exit code 7'),
    });
    expect(second?.result).toEqual(first?.result);
  });

  test('may not use one name twice', async () => {
    const functions = [module, pathOf('./fixtures/same-name.ts')];
    await using other = await openExecutor(functionExecutor, { functions });

    const { result } = await other.run(call('greet', { to: 'Ada' }));

    expect(result).toMatchObject({
      reason: 'spawn-error',
      message: expect.stringContaining('two functions are named "greet"'),
    });
  });

  test('must be named in the settings', async () => {
    await using other = await openExecutor(functionExecutor, { functions: [] });

    const { result } = await other.run(call('greet'));

    expect(result).toHaveProperty('message', expect.stringContaining('setting "functions"'));
  });
});

function threadOf(result: unknown): unknown {
  expect(result).toHaveProperty('output.threadId');
  return JSON.parse(JSON.stringify(result)).output.threadId;
}
