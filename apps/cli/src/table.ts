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

/** East Asian letters and pictures take the room of two. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/gu;

/** Styles take no room. */
function width(cell: string): number {
  const text = stripVTControlCharacters(cell);
  return [...text].length + (text.match(wide)?.length ?? 0);
}
