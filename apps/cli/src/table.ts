import { stripVTControlCharacters } from 'node:util';

/** Columns padded to their widest cell, two spaces apart; the last is not padded. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) =>
    row
      .map((cell, column) => {
        const missing = (widths[column] ?? 0) - width(cell);
        return column === head.length - 1 ? cell : `${cell}${' '.repeat(Math.max(0, missing))}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Styles take no room. */
function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
