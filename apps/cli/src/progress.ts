import type { WireClass, WireRun, WireStateCounts } from '@runnel/client';
import { type FinalTaskState, finalTaskStates } from '@runnel/core';
import { oneLine } from './clean.ts';
import { formatElapsed } from './format-time.ts';
import { type Style, styleState } from './style.ts';

/** How a run is shown while it runs. */
export interface ProgressView {
  readonly columns: number;
  readonly rows: number;
  readonly isUnicode: boolean;
  readonly style: Style;
  readonly nowMs: number;
  /** Ends per second lately; null before there is anything to measure. */
  readonly rate: number | null;
  /** At a guess; null where it can't be told. */
  readonly remainingMs: number | null;
}

const maxBarWidth = 28;
const minBarWidth = 6;
const maxNameWidth = 40;
/** Room for `1000000/1000000` and a few words. */
const countsWidth = 42;
/** Head, foot, the line that stands for what is left out, and one free. */
const otherRows = 4;

/** The live block: the run, a bar per class, the whole. */
export function renderProgress(run: WireRun, view: ProgressView): readonly string[] {
  const classes = chooseClasses(run.classes ?? [], view.rows - otherRows);
  const names = classes.map((row) => row.class.length);
  const nameWidth = Math.min(maxNameWidth, Math.max(4, ...names));
  const room = view.columns - nameWidth - countsWidth;
  const barWidth = Math.max(minBarWidth, Math.min(maxBarWidth, room));
  const digits = Math.max(0, ...classes.map((row) => String(row.total).length));
  const left = (run.classes?.length ?? 0) - classes.length;
  return [
    renderHead(run, view),
    ...classes.map((row) => renderClass(row, { nameWidth, barWidth, digits, view })),
    ...(left > 0 ? [view.style.dim(`  … and ${left} more classes`)] : []),
    renderTotal(run, view),
  ];
}

/** One line for a log: `13/37 tasks, 2 running, 1 failed, 4.1/s`. */
export function renderProgressLine(run: WireRun, rate: number | null): string {
  const parts = [`${countFinal(run.counts)}/${run.taskCount} tasks`, ...describeCounts(run.counts)];
  return [...parts, ...describeRate(rate)].join(', ');
}

export function countFinal(counts: WireStateCounts): number {
  return finalTaskStates.reduce((sum, state) => sum + counts[state], 0);
}

/** Those that move come first where there is no room for all. */
function chooseClasses(classes: readonly WireClass[], room: number): readonly WireClass[] {
  if (classes.length <= room) return classes;
  const isMoving = ({ counts }: WireClass): boolean =>
    counts.running + counts.queued + counts.ready > 0;
  const isDone = ({ counts, total }: WireClass): boolean => countFinal(counts) === total;
  const ranked = [
    ...classes.filter(isMoving),
    ...classes.filter((row) => !isMoving(row) && !isDone(row)),
    ...classes.filter((row) => !isMoving(row) && isDone(row)),
  ].slice(0, Math.max(1, room));
  return classes.filter((row) => ranked.includes(row));
}

function renderHead(run: WireRun, { style, nowMs }: ProgressView): string {
  const started = Date.parse(run.startedAt ?? run.createdAt);
  const ended = run.endedAt === null ? nowMs : Date.parse(run.endedAt);
  const state = run.isCancelling ? style.yellow('cancelling') : styleState(style, run.state);
  const stopping = run.isStopping ? style.yellow(' (a task failed: starts nothing more)') : '';
  const name = run.name === null ? '' : `${style.bold(oneLine(run.name))} `;
  return `${name}${run.id} ${state}${stopping} ${style.dim(formatElapsed(ended - started))}`;
}

interface ClassView {
  readonly nameWidth: number;
  readonly barWidth: number;
  /** Of the largest class: numbers stand below each other. */
  readonly digits: number;
  readonly view: ProgressView;
}

function renderClass(row: WireClass, { nameWidth, barWidth, digits, view }: ClassView): string {
  const name = row.class.length > nameWidth ? `${row.class.slice(0, nameWidth - 1)}…` : row.class;
  const bar = renderBar(row, barWidth, view);
  const total = String(row.total).padEnd(digits);
  const done = `${String(countFinal(row.counts)).padStart(digits)}/${total}`;
  const words = describeCounts(row.counts, view.style).join(', ');
  return `  ${name.padEnd(nameWidth)} ${bar} ${done}  ${words}`.trimEnd();
}

/** A segment per way to end, then what runs, then what is left. */
function renderBar({ counts, total }: WireClass, width: number, view: ProgressView): string {
  const [full, busy, empty] = view.isUnicode ? ['█', '▒', '░'] : ['#', '=', '.'];
  const parts = [
    { count: counts.succeeded, paint: view.style.green, mark: full },
    { count: counts.failed + counts['upstream-failed'], paint: view.style.red, mark: full },
    { count: counts.skipped + counts.cancelled, paint: view.style.yellow, mark: full },
    { count: counts.running, paint: view.style.blue, mark: busy },
  ];
  let seen = 0;
  let drawn = 0;
  let bar = '';
  for (const { count, paint, mark } of parts) {
    seen += count;
    const until = total === 0 ? 0 : Math.floor((seen / total) * width);
    if (until > drawn) bar += paint(mark.repeat(until - drawn));
    drawn = Math.max(drawn, until);
  }
  return bar + view.style.dim(empty.repeat(width - drawn));
}

function renderTotal(run: WireRun, { style, rate, remainingMs }: ProgressView): string {
  const done = countFinal(run.counts);
  const share = run.taskCount === 0 ? 100 : Math.floor((done / run.taskCount) * 100);
  const total = `${style.bold(`${done}/${run.taskCount}`)} tasks, ${share} %`;
  const left = remainingMs === null ? [] : [`about ${formatElapsed(remainingMs)} left`];
  return [total, ...describeCounts(run.counts, style), ...describeRate(rate), ...left].join(', ');
}

const plain: Pick<Style, 'red' | 'yellow' | 'blue' | 'dim'> = {
  red: (text) => text,
  yellow: (text) => text,
  blue: (text) => text,
  dim: (text) => text,
};

/** What is worth a word: what runs, what waits for a slot or a retry, and every end but success. */
function describeCounts(counts: WireStateCounts, style = plain): readonly string[] {
  const waiting = counts.ready + counts.queued;
  const ends: readonly [FinalTaskState, (text: string) => string][] = [
    ['failed', style.red],
    ['upstream-failed', style.red],
    ['skipped', style.dim],
    ['cancelled', style.yellow],
  ];
  return [
    ...(counts.running > 0 ? [style.blue(`${counts.running} running`)] : []),
    ...(waiting > 0 ? [style.dim(`${waiting} ready`)] : []),
    ...(counts.delayed > 0 ? [style.yellow(`${counts.delayed} to be retried`)] : []),
    ...ends
      .filter(([state]) => counts[state] > 0)
      .map(([state, paint]) => paint(`${counts[state]} ${state}`)),
  ];
}

function describeRate(rate: number | null): readonly string[] {
  if (rate === null || rate <= 0) return [];
  return [`${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`];
}
