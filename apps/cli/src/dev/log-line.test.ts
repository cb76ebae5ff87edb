import { expect, test } from 'vitest';
import { createStyle } from '../style.ts';
import { formatLogLine } from './log-line.ts';
import { quietRepeats } from './quiet-repeats.ts';

const style = createStyle(false);

test('writes a log line for a person', () => {
  const line = JSON.stringify({
    level: 40,
    time: '2026-01-01T10:20:30.000Z',
    pid: 1,
    hostname: 'h',
    name: 'worker',
    runId: 'r1',
    slots: 2,
    msg: 'slow',
  });
  const clock = new Date('2026-01-01T10:20:30.000Z').toTimeString().slice(0, 8);

  expect(formatLogLine(line, 'worker 1', style)).toBe(
    `worker 1  ${clock} WARN slow runId=r1 slots=2`,
  );
});

test('names an error once', () => {
  const err = { type: 'Error', message: 'no connection', stack: 'Error: no connection\n  at x' };
  const line = JSON.stringify({
    level: 50,
    time: '2026-01-01T10:20:30.000Z',
    err,
    msg: 'no connection',
  });

  expect(formatLogLine(line, 'api', style)).toMatch(/^api {7}\S+ ERROR no connection$/);
});

test('leaves a line that is no log line as it is, but for what steers the terminal', () => {
  expect(formatLogLine('\x1b[31mplain', 'api', style)).toBe('api       plain');
});

test('says the same thing of one process once in a while only', () => {
  const seen: string[] = [];
  let now = 0;
  const pass = quietRepeats(
    (label, line) => seen.push(`${label} ${line}`),
    () => now,
  );

  pass('api', '{"time":"1","msg":"away"}');
  pass('api', '{"time":"2","msg":"away"}');
  pass('worker', '{"time":"2","msg":"away"}');
  now = 6_000;
  pass('api', '{"time":"3","msg":"away"}');

  expect(seen).toEqual([
    'api {"time":"1","msg":"away"}',
    'worker {"time":"2","msg":"away"}',
    'api {"time":"3","msg":"away"}',
  ]);
});
