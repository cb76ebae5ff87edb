import type { Client, WireTask } from '@runnel/client';
import { finalTaskStates } from '@runnel/core';
import { clean, oneLine } from './clean.ts';
import type { EndedRun } from './follow-run.ts';
import { formatElapsed } from './format-time.ts';
import { type Style, styleState } from './style.ts';

/** A failed task with the end of its log. */
export interface FailedTask {
  readonly task: WireTask;
  readonly logLines: readonly string[];
}

/** Where the run can be looked at afterwards: its server goes on, or its data alone do, or nothing. */
export type Afterwards = 'server' | 'stored' | 'gone';

/** A person reads no more of them; the rest is a command away. */
const shownFailures = 10;
const shownLogLines = 5;
const maxLineLength = 300;
/** Of a run that took that long a rate says nothing. */
const leastRate = 0.1;

/** The first failed tasks of a run. Throws ApiError, UnreachableError. */
export async function readFailures(client: Client, run: EndedRun): Promise<readonly FailedTask[]> {
  if (run.counts.failed === 0) return [];
  const { tasks } = await client.getTasks(run.id, { state: 'failed', limit: shownFailures });
  return Promise.all(
    tasks.map(async ({ number }) => {
      const [task, log] = await Promise.all([
        client.getTask(run.id, number),
        client.getLog(run.id, number),
      ]);
      return { task, logLines: lastLines(log.text) };
    }),
  );
}

/** How a run ended, in one line. */
export function renderEnd(run: EndedRun, style: Style): string {
  const started = Date.parse(run.startedAt ?? run.createdAt);
  const ms = Date.parse(run.endedAt ?? run.createdAt) - started;
  const counts = finalTaskStates
    .filter((state) => run.counts[state] > 0)
    .map((state) => styleState(style, state, `${run.counts[state]} ${state}`));
  const perSecond = ms > 0 ? (run.taskCount / ms) * 1000 : 0;
  const rate = perSecond < leastRate ? '' : ` (${formatRate(perSecond)}/s)`;
  const name = run.name === null ? '' : `${style.bold(oneLine(run.name))} `;
  const state = styleState(style, run.state);
  return `${name}${run.id} ${state} in ${formatElapsed(ms)}: ${counts.join(', ')}${rate}`;
}

/** Failed tasks with their reasons, and how to see more. */
export function renderFailures(
  run: EndedRun,
  failures: readonly FailedTask[],
  { style, afterwards }: { readonly style: Style; readonly afterwards: Afterwards },
): readonly string[] {
  const first = failures[0];
  if (first === undefined) return [];
  const more = run.counts.failed - failures.length;
  return [
    '',
    ...failures.flatMap((failure) => renderFailure(failure, style)),
    ...(more > 0 ? [`  … and ${more} more failed tasks`] : []),
    '',
    ...hintsOf(run.id, { first: first.task.id, more, afterwards }).map(style.dim),
  ];
}

function hintsOf(
  id: string,
  found: { readonly first: string; readonly more: number; readonly afterwards: Afterwards },
): readonly string[] {
  if (found.afterwards === 'gone') return [];
  return [
    ...(found.afterwards === 'stored'
      ? ['to see more, start "runnel dev" in this folder, then:']
      : []),
    ...(found.more > 0 ? [`all failed tasks: runnel get ${id} --state failed`] : []),
    `the whole log: runnel logs ${id} ${quote(found.first)}`,
  ];
}

function renderFailure({ task, logLines }: FailedTask, style: Style): readonly string[] {
  const last = task.failures.at(-1);
  const attempts = task.attempt > 1 ? style.dim(` (attempt ${task.attempt})`) : '';
  const reason = last === undefined ? '' : `: ${describeFailure(last.reason, last.message)}`;
  const [head = '', ...rest] = `${task.id}${reason}`.split('\n');
  return [
    `  ${style.red('failed')} ${head}${attempts}`,
    ...rest.map((line) => `      ${line}`),
    ...logLines.map((line) => style.dim(`    | ${line}`)),
  ];
}

/** `exit: exited with code 7`; a message that begins with its reason does not say it twice. */
function describeFailure(reason: string, message: string): string {
  const text = clean(message);
  return text.toLowerCase().startsWith(reason) ? text : `${reason}: ${text}`;
}

function lastLines(log: string): readonly string[] {
  const lines = log.split('\n').map(clean);
  while (lines.at(-1) === '') lines.pop();
  return lines.slice(-shownLogLines).map((line) => line.slice(0, maxLineLength));
}

function quote(id: string): string {
  return /^[\w.:=,%-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}
