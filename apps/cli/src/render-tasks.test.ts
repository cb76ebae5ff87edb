import type { WireTask } from '@runnel/client';
import { expect, test } from 'vitest';
import { renderTask } from './render-tasks.ts';
import { createStyle } from './style.ts';

const failure = {
  attempt: 1,
  reason: 'output-invalid' as const,
  startedAt: '2030-01-31T08:00:00.000Z',
  endedAt: '2030-01-31T08:00:01.000Z',
  durationMs: 1_000,
  worker: 'w1',
  exitCode: null,
  signal: null,
};

const task: WireTask = {
  ...{ number: 3, id: 'list', class: 'list', executor: 'local', pool: 'default' },
  ...{ state: 'failed', attempt: 1, last: null, values: {}, details: {}, output: null },
  ...{ failures: [{ ...failure, message: 'two issues\n\u001b[31mtasks[0]: a\ntasks[1]: b' }] },
  ...{ successes: [], generated: null, parents: [], children: [] },
  links: { self: '', run: '', log: '' },
};

test('a message of several lines stands in its column, without what it does to a screen', () => {
  const lines = renderTask(task, createStyle(false));

  expect(lines.slice(-3)).toEqual([
    'failed    attempt 1, output-invalid: two issues',
    '          tasks[0]: a',
    '          tasks[1]: b',
  ]);
});
