import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
    harness = await openExecutor(local, { killGraceMs: 200 });
  });

  afterEach(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(temporary, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });

  function shell(script: string) {
    return { details: { command: ['bash', '-c', script] } };
  }

  test('gives the inputs as a file, an empty object where there are none', async () => {
    const inputs = { clean: [{ file: 'a.csv' }, { file: 'b.csv' }] };

    const some = await harness.run({ ...shell('cat "$RUNNEL_INPUTS"'), inputs });
    const none = await harness.run(shell('cat "$RUNNEL_INPUTS"'));

    expect(some.log.text()).toBe('{"clean":[{"file":"a.csv"},{"file":"b.csv"}]}');
    expect(none.log.text()).toBe('{}');
  });

  test.each([
    ['echo no json > $RUNNEL_OUTPUT', 'is not JSON'],
    ['echo [1] > $RUNNEL_OUTPUT', 'is an array: a JSON object'],
    ['touch $RUNNEL_OUTPUT', 'is empty'],
    ['mkdir $RUNNEL_OUTPUT', 'is not a regular file'],
    ['mkfifo $RUNNEL_OUTPUT', 'is not a regular file'],
    ['ln -s /dev/zero $RUNNEL_OUTPUT', 'is not a regular file'],
    ['printf \'{"a":"\\377"}\' > $RUNNEL_OUTPUT', 'is not UTF-8'],
    ['(printf \'{"a":\'; printf "[%.0s" {1..9999}) > $RUNNEL_OUTPUT', 'is not JSON'],
  ])('refuses the output of: %s', async (script, message) => {
    const { result } = await harness.run(shell(script));

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'output-invalid',
      message: expect.stringContaining(message),
    });
  });

  test('needs no output', async () => {
    const { result } = await harness.run(shell('true'));

    expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
  });

  test('leaves the output of a failed command alone', async () => {
    const { result } = await harness.run(shell('echo "{}" > $RUNNEL_OUTPUT; exit 4'));

    expect(result).toMatchObject({
      outcome: 'failed',
      reason: 'exit',
      exitCode: 4,
      message: 'the command exited with code 4',
    });
  });

  test('gives no file of an attempt to the next', async () => {
    await harness.run(
      shell('echo "{}" > $RUNNEL_OUTPUT; touch "$(dirname "$RUNNEL_OUTPUT")/more"'),
    );
    await harness.run({ ...shell('touch $RUNNEL_OUTPUT; sleep 1000'), timeoutMs: 100 });

    const { log } = await harness.run(shell('ls "$(dirname "$RUNNEL_OUTPUT")"'));

    expect(log.text()).toBe('inputs.json\n');
  });

  test('leaves no files behind when it is closed', async () => {
    await harness.run(shell('touch "$(dirname "$RUNNEL_OUTPUT")/more"'));
    await harness.run({ ...shell('cat "$RUNNEL_INPUTS"'), inputs: { a: { file: 'a.csv' } } });
    const ready = Promise.withResolvers<void>();
    const running = harness.run(shell('touch "$RUNNEL_OUTPUT"; echo ready; sleep 1000'), {
      onLogs: ([log]) => {
        log?.contains('ready').then(ready.resolve, ready.reject);
      },
    });
    await ready.promise;

    await Promise.all([harness.open[Symbol.asyncDispose](), running]);

    const left = await readdir(temporary);
    expect(left.filter((name) => !harness.dataDir.endsWith(name))).toEqual([]);
  });

  test('does not read what an escaped process of an earlier attempt writes', async () => {
    const go = join(harness.dataDir, 'go');
    const done = join(harness.dataDir, 'done');
    const escaped = join(harness.dataDir, 'escaped');
    const late = `touch ${escaped}; until [ -e ${go} ]; do sleep 0.01; done; echo '{"late":1}' > $RUNNEL_OUTPUT; touch ${done}`;
    await harness.run({
      details: {
        command: [
          'bash',
          '-c',
          'setsid bash -c "$0" > /dev/null 2>&1 & until [ -e "$1" ]; do sleep 0.01; done',
          late,
          escaped,
        ],
      },
    });

    const { result } = await harness.run(
      shell(`touch ${go}; until [ -e ${done} ]; do sleep 0.01; done`),
    );

    expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
    expect(result).not.toHaveProperty('output');
  });

  test('does not give a file of inputs that a command has changed to the next', async () => {
    await harness.run(shell('rm -f "$RUNNEL_INPUTS"; echo changed > "$RUNNEL_INPUTS"'));

    const { log } = await harness.run(shell('cat "$RUNNEL_INPUTS"'));

    expect(log.text()).toBe('{}');
  });

  test('removes nothing through a link in the place of its directory', async () => {
    const kept = join(harness.dataDir, 'kept');
    await mkdir(kept);
    await writeFile(join(kept, 'precious'), 'text');
    const swap = `dir="$(dirname "$RUNNEL_OUTPUT")"; rm -r "$dir"; ln -s ${kept} "$dir"; touch "$RUNNEL_OUTPUT.2"`;

    await harness.run(shell(swap));
    const { result } = await harness.run(shell('echo "{}" > "$RUNNEL_OUTPUT"'));

    expect(result).toMatchObject({ outcome: 'succeeded', output: {} });
    expect(await readFile(join(kept, 'precious'), 'utf8')).toBe('text');
  });
});
