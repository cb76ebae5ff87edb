import { expect, test } from 'vitest';
import { type ProgressView, renderProgress, renderProgressLine } from './progress.ts';
import { classOf, runOf } from './run-for-tests.ts';
import { createStyle } from './style.ts';

const view: ProgressView = {
  columns: 90,
  rows: 24,
  isUnicode: true,
  style: createStyle(false),
  nowMs: Date.parse('2026-01-01T00:00:03.250Z'),
  rate: null,
  remainingMs: null,
};

test('draws the run, a bar for each class and the whole', () => {
  const run = runOf([
    classOf('pull', { succeeded: 2 }),
    classOf('transform', { succeeded: 3, failed: 1, running: 2, ready: 2 }),
    classOf('report', { waiting: 1 }),
  ]);

  const lines = renderProgress(run, { ...view, rate: 4.12, remainingMs: 190_000 });

  expect(lines).toEqual([
    'demo r1 running 3.2 s',
    '  pull      ████████████████████████████ 2/2',
    '  transform ██████████████▒▒▒▒▒▒▒░░░░░░░ 4/8  2 running, 2 ready, 1 failed',
    '  report    ░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0/1',
    '6/11 tasks, 54 %, 2 running, 2 ready, 1 failed, 4.1/s, about 3m 10s left',
  ]);
});

test('numbers of classes stand below each other, whatever their size', () => {
  const run = runOf([
    classOf('many', { succeeded: 7, running: 1, waiting: 112 }),
    classOf('one', { failed: 1 }),
  ]);

  const [, many = '', one = ''] = renderProgress(run, view);

  expect(many).toMatch(/ {3}7\/120 {2}1 running$/);
  expect(one).toMatch(/ {3}1\/1 {4}1 failed$/);
  expect(many.indexOf('/')).toBe(one.indexOf('/'));
});

test('uses plain characters where the terminal has no others', () => {
  const run = runOf([classOf('a', { succeeded: 1, running: 1, waiting: 2 })]);

  const lines = renderProgress(run, { ...view, isUnicode: false });

  expect(lines[1]).toBe('  a    #######=======.............. 1/4  1 running');
});

test('shows what moves where there is no room for every class', () => {
  const run = runOf([
    classOf('done', { succeeded: 1 }),
    classOf('busy', { running: 1 }),
    classOf('later', { waiting: 1 }),
    classOf('queued', { queued: 1 }),
  ]);

  const lines = renderProgress(run, { ...view, rows: 7 });

  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual([
    'demo',
    'busy',
    'later',
    'queued',
    '…',
    '1/4',
  ]);
});

test('says that a run is being cancelled', () => {
  const run = runOf([classOf('a', { running: 1 })], { isCancelling: true });

  expect(renderProgress(run, view)[0]).toBe('demo r1 cancelling 3.2 s');
});

test('draws a run whose classes are left out', () => {
  const { classes: _, ...run } = runOf([classOf('a', { succeeded: 1 })]);

  expect(renderProgress({ ...run, classesOmitted: true }, view)).toEqual([
    'demo r1 running 3.2 s',
    '1/1 tasks, 100 %',
  ]);
});

test('is one line without a screen', () => {
  const run = runOf([classOf('a', { succeeded: 1, delayed: 1, skipped: 1, running: 1 })]);

  expect(renderProgressLine(run, 12.6)).toBe(
    '2/4 tasks, 1 running, 1 to be retried, 1 skipped, 13/s',
  );
});
