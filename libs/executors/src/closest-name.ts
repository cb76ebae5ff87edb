/** ` (did you mean "local"?)` where a known name is near, else nothing: to be put after a message. */
export function suggestName(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  return closest === undefined ? '' : ` (did you mean "${closest}"?)`;
}

/** The known name that a person most likely meant; undefined where none is near. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  // A third of the letters may differ, at least one: "locl" is near "local", "ssh" is not near "noop".
  let nearest = Math.max(1, Math.floor(name.length / 3)) + 1;
  let found: string | undefined;
  for (const candidate of known) {
    const distance = countEdits(name.toLowerCase(), candidate.toLowerCase());
    if (distance < nearest) {
      nearest = distance;
      found = candidate;
    }
  }
  return found;
}

/** Levenshtein distance, with one row of the table kept. */
function countEdits(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line++) {
    const next = [line];
    for (let column = 1; column <= right.length; column++) {
      const same = left[line - 1] === right[column - 1];
      const replaced = (row[column - 1] ?? 0) + (same ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
