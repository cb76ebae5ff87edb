import type { TrialResult } from './trial.ts';

const headings = [
  'nemesis',
  'faults',
  'runs',
  'tasks',
  'duplicates',
  'losses',
  'longest stall',
  'violations',
];

/** All results as lines of text; notes and violations below. */
export function renderResults(results: readonly TrialResult[]): string {
  const rows = results.map((one) => [
    one.nemesis,
    String(one.faults),
    String(one.runs),
    String(one.tasks),
    String(one.duplicates.length),
    String(one.losses),
    `${(one.longestStallMs / 1_000).toFixed(1)} s`,
    String(one.violations.length),
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(headings), rule, ...rows.map(line), '', ...results.flatMap(renderDetails)].join(
    '\n',
  );
}

/** More of one rule say no more; the folder has them all. */
const shownOfRule = 5;

function renderDetails(result: TrialResult): readonly string[] {
  const causes = Map.groupBy(result.duplicates, ({ cause }) => cause ?? 'no fault');
  const rules = Map.groupBy(result.violations, ({ rule }) => rule);
  return [
    ...[...causes].map(
      ([cause, all]) => `${result.nemesis}: ${all.length} duplicates after ${cause}`,
    ),
    ...result.notes.map((note) => `${result.nemesis}: ${note}`),
    ...[...rules].flatMap(([rule, all]) => [
      ...all
        .slice(0, shownOfRule)
        .map(({ detail }) => `${result.nemesis}: VIOLATION ${rule}: ${detail}`),
      ...(all.length > shownOfRule ? [`${result.nemesis}: … ${all.length} of ${rule}`] : []),
    ]),
    ...(result.dir === null ? [] : [`${result.nemesis}: kept in ${result.dir}`]),
  ];
}
