import type { WireTask, WireTaskSummary } from '@runnel/client';
import { clean } from './clean.ts';
import { formatElapsed } from './format-time.ts';
import { type Style, styleState } from './style.ts';
import { formatTable } from './table.ts';

/** A table of tasks; nothing where there are none. */
export function renderTasks(tasks: readonly WireTaskSummary[], style: Style): readonly string[] {
  if (tasks.length === 0) return [];
  const rows = tasks.map((task) => [
    task.id,
    styleState(style, task.state),
    task.attempt === 0 ? '-' : String(task.attempt),
    task.last === null ? '-' : formatElapsed(task.last.durationMs),
    describeEnd(task),
    task.last?.worker ?? '-',
  ]);
  return formatTable(['TASK', 'STATE', 'ATTEMPT', 'TOOK', 'EXIT', 'WORKER'], rows);
}

/** Everything about one task. */
export function renderTask(task: WireTask, style: Style): readonly string[] {
  const { last, values, output, failures } = task;
  const facts: readonly (readonly [string, string])[] = [
    ['task', `${style.bold(task.id)} (${task.number})`],
    ['state', styleState(style, task.state)],
    ['class', task.class],
    ['executor', `${task.executor}, pool ${task.pool}`],
    ...(Object.keys(values).length === 0 ? [] : [['values', json(values)] as const]),
    ['attempt', String(task.attempt)],
    ...(last === null
      ? []
      : ([
          ['started', last.startedAt],
          ['took', formatElapsed(last.durationMs)],
          ['worker', last.worker ?? '-'],
        ] as const)),
    ['details', json(task.details)],
    ...(output === null ? [] : [['output', json(output)] as const]),
    ...(task.generated === null
      ? []
      : ([['generated', describeGenerated(task.generated)]] as const)),
    ['parents', names(task.parents)],
    ['children', names(task.children)],
  ];
  return [
    ...facts.map(([name, value]) => `${name.padEnd(9)} ${value}`),
    ...failures.flatMap(({ attempt, reason, message }) => {
      const [first = '', ...rest] = clean(message).split('\n');
      return [
        `${style.red('failed'.padEnd(9))} attempt ${attempt}, ${reason}: ${first}`,
        ...rest.map((line) => `${' '.repeat(10)}${line}`),
      ];
    }),
  ];
}

/** Signal, exit code, or nothing to say. */
function describeEnd({ last }: WireTaskSummary): string {
  return last?.signal ?? last?.exitCode?.toString() ?? '-';
}

function describeGenerated({ from, count, reused }: NonNullable<WireTask['generated']>): string {
  if (count === 0) return 'no tasks';
  const kept = reused === 0 ? '' : `, ${reused} of them with the result of the set before`;
  return `${count} ${count === 1 ? 'task' : 'tasks'}, from number ${from}${kept}`;
}

function names(tasks: readonly { readonly id: string }[]): string {
  return tasks.length === 0 ? '-' : tasks.map(({ id }) => id).join(' ');
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
