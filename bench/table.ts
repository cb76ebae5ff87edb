import { format, type Result } from './results.ts';
import type { Verdict } from './workload.ts';

export const legend = [
  'Medians, with least–most in brackets. total: from the start of the POST to the end of the run. tasks/s: from the',
  "run's start to its end, so without submitting it (W7: with). CPU of Node: of the measured processes, not of what they",
  "start, nor of who submits. peak: the largest process. B/task: what Redis' memory grew by. longest: the slowest",
  'command of Redis by the clock, so a busy machine makes it longer; 1 stands for at most 1. other CPU: what the rest of the',
  "machine did meanwhile, tasks' own commands included: near 0 on a quiet machine.",
].join('\n');

const columns: readonly (readonly [head: string, cell: (result: Result) => string])[] = [
  ['workload', (result) => result.case],
  ['system', (result) => result.system],
  ['n', ({ n }) => format(n)],
  ['submit s', (result) => cell(result, 'submitS')],
  ['total s', (result) => cell(result, 'totalS')],
  ['tasks/s', (result) => spread(result, 'tasksPerS')],
  ['hop ms p50', (result) => cell(result, 'hopMsP50')],
  ['p99', (result) => cell(result, 'hopMsP99')],
  ['peak MB', largest],
  ['B/task', (result) => cell(result, 'redisBytesPerTask')],
  ['Redis CPU s', (result) => cell(result, 'redisCpuS')],
  ['Node CPU s', (result) => cell(result, 'nodeCpuS')],
  ['other CPU %', (result) => cell(result, 'otherCpuPercent')],
  ['longest ms', ({ slowest, ...result }) => slowest[0] ?? cell(result, 'longestScriptMs')],
];

/** Lines of equally wide columns; what else was measured stands below its line. */
export function renderTable(results: readonly Result[]): string {
  const rows = results.map((result) => columns.map(([, read]) => read(result)));
  const heads = columns.map(([head]) => head);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const lines = results.flatMap((result, index) => [
    line(rows[index] ?? []),
    ...renderFigures(result),
  ]);
  return [line(heads), ...lines].join('\n');
}

export function renderVerdict({ target, found, isMet }: Verdict): string {
  return `  ${isMet ? 'met   ' : 'MISSED'}  ${target}: ${found}`;
}

function renderFigures({ figures, spread: ranges }: Result): readonly string[] {
  const texts = Object.entries(figures).map(([name, value]) => {
    const [least, most] = ranges[name] ?? [value, value];
    return `${name} ${format(value)} (${format(least)}–${format(most)})`;
  });
  return texts.length === 0 ? [] : [`    ${texts.join(', ')}`];
}

type NumberName = {
  [Name in keyof Result]: Result[Name] extends number | null ? Name : never;
}[keyof Result];

function cell(result: Omit<Result, 'slowest'>, name: NumberName): string {
  const value = result[name];
  return value === null ? '–' : format(value);
}

function spread(result: Result, name: NumberName): string {
  const range = result.spread[name];
  if (range === undefined) return cell(result, name);
  return `${cell(result, name)} (${range.map(format).join('–')})`;
}

function largest({ peakRssMb }: Result): string {
  const [first] = Object.entries(peakRssMb).sort(([, a], [, b]) => b - a);
  return first === undefined ? '–' : `${first[1]} ${first[0]}`;
}
