import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { locals } from './starters-for-tests.ts';

describe.each(locals)('local, started by $starter', ({ local }) => {
  let harness: ExecutorHarness;
  let temporary: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'runnel-local-'));
    vi.stubEnv('TMPDIR', temporary);
    vi.stubEnv('RUNNEL_TOKEN', 'canary-token');
    vi.stubEnv('REDIS_URL', 'redis://canary');
    vi.stubEnv('TZ', 'Europe/Berlin');
    harness = await openExecutor(local, { killGraceMs: 200 });
  });

  afterEach(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(temporary, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });

  function shell(script: string, more: Record<string, string> = {}) {
    return { details: { command: ['bash', '-c', script], ...more } };
  }

  test('gives a command exactly the variables of the list and its own', async () => {
    const details = {
      command: ['/usr/bin/env'],
      environment: { CITY: 'oslo', YEAR: 2012, DRY: true },
    };

    const { log } = await harness.run({ details });

    const lines = log.text().trimEnd().split('\n');
    const names = lines.map((line) => line.slice(0, line.indexOf('=')));
    const passed = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'].filter((name) => name in process.env);
    const own = ['CITY', 'YEAR', 'DRY'];
    const runnel = ['RUN_ID', 'RUN_NAME', 'TASK_ID', 'TASK_CLASS', 'ATTEMPT', 'IDEMPOTENCY_KEY'];
    const files = ['OUTPUT', 'INPUTS', 'DATA'];
    const expected = [...passed, ...own, ...[...runnel, ...files].map((name) => `RUNNEL_${name}`)];
    expect(names.toSorted()).toEqual(expected.toSorted());
    expect(lines).toContain('YEAR=2012');
    expect(lines).toContain('DRY=true');
    expect(lines).toContain('RUNNEL_RUN_ID=run-1');
    expect(lines).toContain('RUNNEL_IDEMPOTENCY_KEY=run-1.task-0.1');
    expect(log.text()).not.toContain('canary');
  });

  test('runs in the directory of the run', async () => {
    const { log } = await harness.run(shell('pwd'));

    expect(log.text()).toBe(`${join(harness.dataDir, 'runs', 'run-1')}\n`);
  });

  test('runs in cwd, which may begin at the directory of the run', async () => {
    await mkdir(join(harness.dataDir, 'runs', 'run-1', 'sub'), { recursive: true });

    const { log } = await harness.run(shell('pwd', { cwd: 'sub' }));

    expect(log.text()).toBe(`${join(harness.dataDir, 'runs', 'run-1', 'sub')}\n`);
  });

  test('names a working directory that is not there', async () => {
    const { result } = await harness.run(shell('pwd', { cwd: '/no/such/place' }));

    expect(result).toMatchObject({
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringContaining('"/no/such/place" does not exist'),
    });
  });

  test('names a file that is not executable', async () => {
    const file = join(harness.dataDir, 'plain.txt');
    await writeFile(file, 'hello', { mode: 0o644 });

    const { result } = await harness.run({ details: { command: [file] } });

    expect(result).toMatchObject({
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringContaining('chmod +x'),
    });
  });

  test('tells a missing interpreter from a missing program', async () => {
    const file = join(harness.dataDir, 'script');
    await writeFile(file, '#!/no/such/interpreter\n', { mode: 0o755 });

    const { result } = await harness.run({ details: { command: [file] } });

    expect(result).toMatchObject({ message: expect.stringContaining('interpreter') });
  });

  test('tells how long a command is that is too long for the system', async () => {
    const { result } = await harness.run({ details: { command: ['true', 'x'.repeat(4_000_000)] } });

    expect(result).toMatchObject({
      reason: 'spawn-error',
      retryable: false,
      message: expect.stringContaining('E2BIG'),
    });
  });

  test('gives the command its stdin', async () => {
    const { log } = await harness.run({ details: { command: ['cat'], stdin: 'grüße\n' } });

    expect(log.text()).toBe('grüße\n');
  });

  test('does not mind a command that leaves a large stdin unread', async () => {
    const details = { command: ['true'], stdin: 'x'.repeat(1_000_000) };

    const { result } = await harness.run({ details });

    expect(result.outcome).toBe('succeeded');
  });

  test('gives the command nothing to read by default', async () => {
    const { result } = await harness.run(shell('test -z "$(cat)"'));

    expect(result.outcome).toBe('succeeded');
  });

  test('hands on bytes that are no text', async () => {
    const { log } = await harness.run(shell("printf '\\000\\377\\376x'"));

    expect(log.bytes).toBe(4);
  });

  test('makes the directory of a run again that was removed', async () => {
    await harness.run(shell('true'));
    await rm(join(harness.dataDir, 'runs'), { recursive: true });

    const { log } = await harness.run(shell('pwd'));

    expect(log.text()).toBe(`${join(harness.dataDir, 'runs', 'run-1')}\n`);
  });

  test('starts a command in a session of its own, with no signal ignored', async () => {
    const script = 'cut -d" " -f1,5,6 < /proc/$$/stat; grep Sig /proc/self/status';

    const { log } = await harness.run({ details: { command: ['sh', '-c', script] } });

    const [numbers = '', ...lines] = log.text().trimEnd().split('\n');
    const [pid, group, session] = numbers.split(' ');
    expect(group).toBe(pid);
    expect(session).toBe(pid);
    expect(lines).toContain('SigBlk:\t0000000000000000');
    // 32 and 33 belong to the C library, which sets them as it likes.
    expect(lines).toContainEqual(expect.stringMatching(/^SigIgn:\t0{7}[0-3][08]0{7}$/));
  });

  test('runs a script without a first line as a shell would', async () => {
    const file = join(harness.dataDir, 'script');
    await writeFile(file, 'echo "$1"\n', { mode: 0o755 });

    const { log } = await harness.run({ details: { command: [file, 'word'] } });

    expect(log.text()).toBe('word\n');
  });

  test('looks for the program in the PATH of the task', async () => {
    await writeFile(join(harness.dataDir, 'greet'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    await writeFile(join(harness.dataDir, 'plain'), '#!/bin/sh\n', { mode: 0o644 });
    const environment = { PATH: `/no/such/place:/etc/passwd:${harness.dataDir}` };

    const found = await harness.run({ details: { command: ['greet'], environment } });
    const plain = await harness.run({ details: { command: ['plain'], environment } });
    const missing = await harness.run({ details: { command: ['sh'], environment } });

    expect(found.log.text()).toBe('hello\n');
    expect(plain.result).toMatchObject({ message: expect.stringContaining('EACCES') });
    expect(missing.result).toMatchObject({ message: expect.stringContaining('PATH=/no/such') });
  });

  test('hands words, variables and stdin on byte by byte', async () => {
    const word = 'ü "quoted"\n\t$HOME \\ ';
    const details = {
      command: ['sh', '-c', 'printf "%s|%s|%s|" "$0" "$1" "$WORD"; od -An -c', word, ''],
      environment: { WORD: `${word}=x` },
      stdin: 'a\0b',
    };

    const { log } = await harness.run({ details });

    expect(log.text()).toBe(`${word}||${word}=x|   a  \\0   b\n`);
  });

  test('takes a megabyte of words and variables', async () => {
    const words = Array.from({ length: 10 }, () => 'x'.repeat(100_000));
    const details = {
      command: ['sh', '-c', 'echo $#', ...words],
      environment: { BIG: 'x'.repeat(100_000) },
    };

    const { log } = await harness.run({ details });

    expect(log.text()).toBe('9\n');
  });

  test('waits for a log that can not follow', async () => {
    let drained = 0;
    const log = {
      write: () => false,
      drained: async () => {
        drained++;
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
    const task = {
      run: { id: 'run-1', name: null },
      task: { id: 'a', number: 0, class: 'a', attempt: 1 },
      idempotencyKey: 'run-1.a.1',
      details: local.details.parse(shell('head -c 1000000 /dev/zero').details),
      inputs: {},
      timeoutMs: null,
      successExitCodes: [0],
      isolated: false,
      log,
      secret: () => Promise.reject(new Error('there are none here')),
    };

    const results: string[] = [];
    await harness.open.execute(
      { tasks: [task], signal: new AbortController().signal },
      (_, result) => results.push(result.outcome),
    );

    expect(results).toEqual(['succeeded']);
    expect(drained).toBeGreaterThan(5);
  });

  test('keeps its memory small under 300 MB of output', async () => {
    const before = process.memoryUsage().rss;

    const { log, result } = await harness.run(shell('yes "a line of output" | head -c 314572800'));

    expect(result.outcome).toBe('succeeded');
    expect(log.bytes).toBe(314_572_800);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  }, 60_000);
});
