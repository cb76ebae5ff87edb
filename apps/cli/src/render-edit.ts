import type { WireEdited, WireRerunReason } from '@runnel/client';
import { formatTable } from './table.ts';

/** Why a task runs again, in words. */
const reasonTexts: Readonly<Record<WireRerunReason, string>> = {
  details: 'details changed',
  version: 'version changed',
  values: 'values changed',
  parents: 'parents changed',
  'parent-reran': 'a parent runs again',
  'never-succeeded': 'never succeeded',
};

const columns = ['reused', 'kept', 'rerun', 'new', 'removed'] as const;

/** What an edit did, or would do: a table of the classes, and a line for all. */
export function renderEdit(answer: WireEdited, isDryRun: boolean): readonly string[] {
  const rows = answer.classes.map((one) => [
    one.class,
    ...columns.map((column) => String(one[column])),
    describeReasons(one.reasons),
  ]);
  const table =
    rows.length === 0
      ? []
      : formatTable(
          ['class', ...columns, 'why'].map((name) => name.toUpperCase()),
          rows,
        );
  const counts = columns.map((column) => `${answer[column]} ${column}`).join(', ');
  const done = isDryRun ? 'would be' : `has revision ${answer.revision}:`;
  return [...table, `${answer.id} ${done} ${counts}`];
}

/** One task of a list. */
export function renderFate({ id, fate, reason }: WireEdited['tasks'][number]): string {
  return `${fate}\t${id}${reason === null ? '' : `\t${reasonTexts[reason]}`}`;
}

function describeReasons(reasons: WireEdited['classes'][number]['reasons']): string {
  return Object.entries(reasonTexts)
    .flatMap(([reason, text]) => {
      const count = reasons[reason as WireRerunReason]; // the keys of the record above
      return count === undefined ? [] : [`${count} ${text}`];
    })
    .join(', ');
}
