import type { WireTask } from '@runnel/client';
import { expect, test } from 'vitest';
import type { EndedRun } from './follow-run.ts';
import { classOf, runOf } from './run-for-tests.ts';
import { createStyle } from './style.ts';
import { renderEnd, renderFailures } from './summary.ts';

const style = createStyle(false);

function endedRun(failed: number): EndedRun {
  const run = runOf([classOf('a', { succeeded: 3, failed, skipped: 1 })], {
    endedAt: '2026-01-01T00:00:02.000Z',
  });
  return { ...run, state: 'failed' };
}

const attempt = {
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
  durationMs: 1000,
  worker: 'w1',
  exitCode: 7,
  signal: null,
};

const failedTask: WireTask = {
  number: 3,
  id: 'load:CITY=seattle',
  class: 'load',
  executor: 'local',
  pool: 'default',
  state: 'failed',
  attempt: 2,
  last: attempt,
  values: { CITY: 'seattle' },
  details: {},
  output: null,
  failures: [{ attempt: 2, reason: 'exit', message: 'the command exited with code 7', ...attempt }],
  successes: [],
  generated: null,
  parents: [],
  children: [],
  links: { self: '', run: '', log: '' },
};

test('tells in a line how a run ended', () => {
  expect(renderEnd(endedRun(4), style)).toBe(
    'demo r1 failed in 2.0 s: 3 succeeded, 4 failed, 1 skipped (4.0/s)',
  );
});

test('shows failed tasks with reason and log, and how to see more', () => {
  const failures = [{ task: failedTask, logLines: ['no such table'] }];

  const lines = renderFailures(endedRun(4), failures, { style, afterwards: 'server' });

  expect(lines).toEqual([
    '',
    '  failed load:CITY=seattle: exit: the command exited with code 7 (attempt 2)',
    '    | no such table',
    '  … and 3 more failed tasks',
    '',
    'all failed tasks: runnel get r1 --state failed',
    'the whole log: runnel logs r1 load:CITY=seattle',
  ]);
});

test('says where a run that was run here can be looked at', () => {
  const failures = [{ task: failedTask, logLines: [] }];

  const stored = renderFailures(endedRun(1), failures, { style, afterwards: 'stored' });
  const gone = renderFailures(endedRun(1), failures, { style, afterwards: 'gone' });

  expect(stored.slice(3)).toEqual([
    'to see more, start "runnel dev" in this folder, then:',
    'the whole log: runnel logs r1 load:CITY=seattle',
  ]);
  expect(gone.slice(3)).toEqual([]);
});

test('takes out what would steer the terminal', () => {
  const [failure] = failedTask.failures;
  const message = 'red \x1b[31mred\x1b]0;title\x07\x08';
  const task = { ...failedTask, failures: failure === undefined ? [] : [{ ...failure, message }] };

  const lines = renderFailures(endedRun(1), [{ task, logLines: [] }], {
    style,
    afterwards: 'gone',
  });

  expect(lines[1]).toBe('  failed load:CITY=seattle: exit: red red (attempt 2)');
});
