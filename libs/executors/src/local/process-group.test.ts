import { AttemptAbort } from '@runnel/core';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findProcesses, isAlive } from './processes-for-tests.ts';
import { locals } from './starters-for-tests.ts';

describe.each(locals)('local, started by $starter', ({ local }) => {
  let harness: ExecutorHarness;

  beforeEach(async () => {
    harness = await openExecutor(local, { killGraceMs: 200 });
    // What a first command takes longer is not to be counted in the timeouts below.
    await harness.run(shell(':'));
  });

  afterEach(() => harness[Symbol.asyncDispose]());

  function shell(script: string) {
    return { details: { command: ['bash', '-c', script] } };
  }

  test('kills what ignores TERM after the grace', async () => {
    const abort = new AbortController();

    const { result, log } = await harness.run(
      shell('trap "echo refused" TERM; echo ready; while true; do sleep 0.02; done'),
      {
        signal: abort.signal,
        onLogs: ([output]) => {
          output?.contains('ready').then(
            () => abort.abort(new AttemptAbort('cancel')),
            () => undefined,
          );
        },
      },
    );

    expect(result).toEqual({ outcome: 'cancelled' });
    expect(log.text()).toContain('refused');
  });

  test('lets a command end by itself after TERM', async () => {
    const abort = new AbortController();
    const script = 'trap "echo cleaned up; exit 0" TERM; echo ready; sleep 1000 & wait';

    const { result, log } = await harness.run(shell(script), {
      signal: abort.signal,
      onLogs: ([output]) => {
        output?.contains('ready').then(
          () => abort.abort(new AttemptAbort('cancel')),
          () => undefined,
        );
      },
    });

    expect(result).toEqual({ outcome: 'cancelled' });
    expect(log.text()).toContain('cleaned up');
  });

  test.each(['timeout', 'cancel'])('leaves no grandchild after a %s', async (cause) => {
    const abort = new AbortController();
    const script = '(trap "" TERM; sleep 1000 & echo "pid $!."; wait) & wait';

    const { log } = await harness.run(
      { ...shell(script), ...(cause === 'timeout' ? { timeoutMs: 1_000 } : {}) },
      {
        signal: abort.signal,
        onLogs: ([output]) => {
          if (cause === 'timeout') return;
          output?.contains('pid').then(
            () => abort.abort(new AttemptAbort('cancel')),
            () => undefined,
          );
        },
      },
    );

    const [, pid = ''] = /pid (\d+)\./.exec(log.text()) ?? [];
    expect(Number(pid)).toBeGreaterThan(1);
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false));
  });

  test('ends with its command, and kills what that left in the background', async () => {
    const startedAt = performance.now();

    const { result, log } = await harness.run(shell('sleep 1000 & echo "pid $!."'));

    const [, pid = ''] = /pid (\d+)\./.exec(log.text()) ?? [];
    expect(result.outcome).toBe('succeeded');
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false));
  });

  test('takes the last lines that a process behind the command still writes', async () => {
    const { log } = await harness.run(shell('exec > >(sleep 0.2; cat); echo late'));

    expect(log.text()).toBe('late\n');
  });

  test('does not wait for a process that left the group, and can not end it', async () => {
    const { result, log } = await harness.run(shell('setsid sleep 30 & sleep 0.1; echo done'));

    const [escaped] = await findProcesses(`RUNNEL_DATA=${harness.dataDir}`);
    expect(result.outcome).toBe('succeeded');
    expect(log.text()).toBe('done\n');
    expect(escaped).toBeDefined();
    process.kill(Number(escaped), 'SIGKILL');
  });

  test('kills running commands when it is closed', async () => {
    const ending = harness.run(shell('sleep 1000'), {});
    await vi.waitFor(async () => {
      expect((await findProcesses(`RUNNEL_DATA=${harness.dataDir}`)).length).toBeGreaterThan(0);
    }, 10_000);

    await harness.open[Symbol.asyncDispose]();

    expect((await ending).result).toMatchObject({ outcome: 'failed', signal: 'SIGKILL' });
  });
});
