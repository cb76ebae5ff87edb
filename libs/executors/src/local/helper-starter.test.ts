import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLocal } from './index.ts';
import { findProcesses, isAlive } from './processes-for-tests.ts';
import { hasPython } from './starters-for-tests.ts';

let warnings: string[];
let folder: string;

/** A busy machine takes a while to start Python. */
const patienceMs = 20_000;

beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), 'runnel-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function open(python?: string): Promise<ExecutorHarness> {
  const warn = (message: string): number => warnings.push(message);
  return openExecutor(createLocal({ warn, ...(python === undefined ? {} : { python }) }));
}

async function writeProgram(text: string): Promise<string> {
  const file = join(folder, 'program');
  await writeFile(file, text, { mode: 0o755 });
  return file;
}

function shell(script: string) {
  return { details: { command: ['sh', '-c', script] } };
}

describe.skipIf(!hasPython)('with helpers', () => {
  test('runs commands in few helpers, one after another', async () => {
    await using harness = await open();

    const parents = await Promise.all(
      [1, 2].map(() => harness.run(shell('echo $PPID; sleep 0.1'))),
    );
    const next = await harness.run(shell('echo $PPID'));

    const numbers = parents.map(({ log }) => log.text());
    expect(new Set(numbers).size).toBe(2);
    expect(numbers).toContain(next.log.text());
    expect(warnings).toEqual([]);
  });

  test('measures CPU time and peak memory', async () => {
    await using harness = await open();
    const busy = 'x=$(head -c 40000000 /dev/zero | tail -c 40000000 | tr "\\0" x); sleep 0.2';

    const { result } = await harness.run({ details: { command: ['bash', '-c', busy] } });

    expect(result).toMatchObject({ outcome: 'succeeded', usage: { cpuMs: expect.any(Number) } });
    const usage = result.outcome === 'succeeded' ? result.usage : undefined;
    expect(usage?.cpuMs).toBeGreaterThan(1);
    expect(usage?.cpuMs).toBeLessThan(60_000);
    expect(usage?.maxRssBytes).toBeGreaterThan(40_000_000);
    expect(usage?.maxRssBytes).toBeLessThan(1_000_000_000);
  });

  test('does not take its own memory for that of a small command', async () => {
    await using harness = await open();

    const { result } = await harness.run(shell(':'));

    expect(result).toMatchObject({ usage: { maxRssBytes: null } });
  });

  test('hands no open file on', async () => {
    await using harness = await open();

    const { log } = await harness.run(shell('ls /proc/$$/fd'));

    expect(log.text()).toBe('0\n1\n2\n');
  });

  test('fails the attempt of a helper that dies, kills its group, and goes on', async () => {
    await using harness = await open();

    const { result, log } = await harness.run(shell('echo $PPID $$; sleep 1000'), {
      onLogs: ([output]) => {
        output?.contains('\n').then(
          () => process.kill(Number(output.text().split(' ')[0]), 'SIGKILL'),
          () => undefined,
        );
      },
    });
    const next = await harness.run(shell('echo $PPID'));

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'error',
      message: expect.stringContaining('helper process'),
    });
    const [helper, command = ''] = log.text().trim().split(' ');
    await vi.waitFor(async () => expect(await isAlive(command)).toBe(false), patienceMs);
    expect(next.log.text()).not.toBe(`${helper}\n`);
    expect(warnings).toEqual([]);
  });

  test('takes a new helper when one died without work', async () => {
    await using harness = await open();
    const first = await harness.run(shell('echo $PPID'));
    const helper = Number(first.log.text());
    process.kill(helper, 'SIGKILL');
    await vi.waitFor(async () => expect(await isAlive(helper)).toBe(false));

    const next = await harness.run(shell('echo $PPID'));

    expect(next.result.outcome).toBe('succeeded');
    expect(Number(next.log.text())).not.toBe(helper);
  });

  test('does not go when everything around it is told to', async () => {
    await using harness = await open();
    const first = await harness.run(shell('echo $PPID'));
    const helper = Number(first.log.text());
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.kill(helper, signal);

    const next = await harness.run(shell('echo $PPID'));

    expect(Number(next.log.text())).toBe(helper);
  });

  test('leaves no helper when it is closed', async () => {
    const harness = await open();
    const { log } = await harness.run(shell('echo $PPID'));

    await harness[Symbol.asyncDispose]();

    expect(await isAlive(log.text().trim())).toBe(false);
  });

  test('leaves neither helper nor command when its worker is killed', async () => {
    const program = join(import.meta.dirname, 'fixtures', 'runs-endless-command.ts');
    const worker = spawn(process.execPath, [program, folder], {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: folder },
    });
    const mark = `RUNNEL_DATA=${folder}`;
    await vi.waitFor(async () => expect((await findProcesses(mark)).length).toBe(2), patienceMs);

    worker.kill('SIGKILL');

    await vi.waitFor(async () => expect(await findProcesses(mark)).toEqual([]), patienceMs);
  });

  test('keeps what a slow log has not taken in the command', async () => {
    await using harness = await open();
    const taken = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let bytes = 0;
    const log = {
      write: (chunk: string | Uint8Array) => {
        bytes += chunk.length;
        taken.resolve();
        return false;
      },
      drained: () => released.promise,
    };

    const running = harness.run(shell('head -c 50000000 /dev/zero'), {
      onLogs: (logs) => Object.assign(logs[0] ?? {}, log),
    });
    await taken.promise;
    const [head] = await findProcesses(`RUNNEL_DATA=${harness.dataDir}`);
    const before = bytes;
    released.resolve();

    expect((await running).result.outcome).toBe('succeeded');
    expect(head).toBeDefined();
    expect(before).toBeLessThan(1_000_000);
    expect(bytes).toBe(50_000_000);
  });
});

/** Speaks as a helper does, but dies between the start of its command and the word about it. */
const diesAtOnce = `#!/bin/bash
exec 9> "$4"
printf 'H\\0\\0\\0\\0011'
read -r -d '' -n 10 request
RUNNEL_DATA=orphan-of-$$ setsid sleep 1000 < /dev/null > /dev/null 2>&1 9>&- &
until kill -0 -- -$! 2> /dev/null; do :; done
printf '%19d %19d' 1 $! >&9
kill -9 $$
`;

test('kills a command whose helper dies before it has told of it', async () => {
  const python = await writeProgram(diesAtOnce);
  await using harness = await open(python);

  const { result } = await harness.run(shell(':'));

  expect(result).toMatchObject({ outcome: 'failed', reason: 'error' });
  expect(await findProcesses('RUNNEL_DATA=orphan-of-')).toEqual([]);
  expect(warnings).toEqual([]);
});

describe('without helpers', () => {
  const broken = [
    ['a program that is not there', null, /no-such-python/],
    [
      'one that writes garbage',
      'echo "Python? Never heard of it, and never will"',
      /Python\? Never/,
    ],
    ['one that ends', 'echo "no disk" >&2; exit 3', /no disk/],
    ['an old version', `echo "Python 3.8 or later is needed, this is 3.6" >&2; exit 1`, /is 3\.6/],
  ] as const;

  test.each(broken)('falls back with one warning: %s', async (_, script, why) => {
    const missing = join(folder, 'no-such-python');
    const python = script === null ? missing : await writeProgram(`#!/bin/sh\n${script}\n`);
    await using harness = await open(python);

    const ends = await Promise.all([1, 2, 3].map(() => harness.run(shell('echo hello'))));

    expect(ends.map(({ log }) => log.text())).toEqual(['hello\n', 'hello\n', 'hello\n']);
    expect(ends[0]?.result).not.toHaveProperty('usage');
    expect(warnings).toEqual([expect.stringMatching(why)]);
  });
});
