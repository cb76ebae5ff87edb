import type { FieldChange, SpecDiff } from './diff-specs.ts';
import type { Style } from './style.ts';

/** Lines as of a unified diff: what is gone, what came, and what has other fields. */
export function renderDiff(
  { run, added, removed, changed }: SpecDiff,
  names: { readonly before: string; readonly after: string },
  style: Style,
): readonly string[] {
  const minus = (text: string): string => style.red(`- ${text}`);
  const plus = (text: string): string => style.green(`+ ${text}`);
  const fieldLines = (fields: readonly FieldChange[]): readonly string[] =>
    fields.flatMap(({ field, before, after }) => [
      ...(before === undefined ? [] : [minus(`  ${field}: ${JSON.stringify(before)}`)]),
      ...(after === undefined ? [] : [plus(`  ${field}: ${JSON.stringify(after)}`)]),
    ]);
  return [
    `--- ${names.before}`,
    `+++ ${names.after}`,
    ...(run.length === 0 ? [] : ['  run', ...fieldLines(run)]),
    ...changed.flatMap(({ task, fields }) => [`  ${task}`, ...fieldLines(fields)]),
    ...removed.map(minus),
    ...added.map(plus),
  ];
}
