import { executorSuite } from '@runnel/testing/executor-suite';
import { expect, test } from 'vitest';
import { findProcesses } from './processes-for-tests.ts';
import { locals } from './starters-for-tests.ts';

/** In the environment of every command of this file, so that what is left of them can be found. */
const mark = `mark-${process.pid}-${Date.now()}`;

for (const { starter, local } of locals) {
  executorSuite(`local, started by ${starter}`, {
    executor: local,
    environment: { killGraceMs: 300 },
    cases: {
      success: { command: ['true'], environment: { MARK: mark } },
      exitCode: { command: ['sh', '-c', 'exit 3'] },
      failure: {
        details: { command: ['sh', '-c', 'kill -9 $$'] },
        result: {
          reason: 'signal',
          signal: 'SIGKILL',
          message: 'the command was killed by SIGKILL',
        },
      },
      spawnError: {
        details: { command: ['no-such-program'] },
        message: /"no-such-program".*PATH=/,
      },
      endless: {
        details: {
          command: ['sh', '-c', 'sleep 1000 & echo started; wait'],
          environment: { MARK: mark },
        },
        started: 'started',
      },
      log: { details: { command: ['sh', '-c', 'echo out; echo err >&2'] }, text: 'err' },
      flood: {
        details: { command: ['head', '-c', '52428800', '/dev/zero'] },
        bytes: 52_428_800,
      },
      output: {
        details: { command: ['sh', '-c', 'echo \'{"file":"a.csv"}\' > "$RUNNEL_OUTPUT"'] },
        output: { file: 'a.csv' },
      },
      outputTooLarge: {
        command: ['sh', '-c', 'head -c 70000 /dev/zero > "$RUNNEL_OUTPUT"'],
        environment: { MARK: mark },
      },
    },
    leftovers: () => findProcesses(`MARK=${mark}`),
  });
}

test('finds processes by a mark in their environment', async () => {
  const found = await findProcesses('PATH=');

  expect(found.length).toBeGreaterThan(0);
});
