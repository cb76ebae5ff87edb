import type { Path } from './notes.ts';
import type { PlannedEntry } from './plan-entries.ts';

/** What DaggyR calls the fields of a task that Runnel has other places for. */
const fields: ReadonlyMap<unknown, Path> = new Map([
  ['retries', ['max_retries']],
  ['timeout', ['details', 'timeout']],
  ['resources', ['details', 'resources']],
  ['generator', ['is_generator']],
  ['class', []],
  ['id', []],
  ['executor', []],
  ['pool', []],
]);

/** `tasks[17].timeout` of a spec as `tasks.pull.details.timeout` of the document that it was made from. */
export function toSourcePath(entries: readonly PlannedEntry[], path: Path): Path {
  const [first, number, field, ...rest] = path;
  if (first !== 'tasks' || typeof number !== 'number') return path;
  const entry = entries[findEntry(entries, number)];
  if (entry === undefined) return path;
  if (field === undefined) return entry.source.path;
  const renamed = fields.get(field);
  return renamed === undefined
    ? [...entry.source.path, field, ...rest]
    : [...entry.source.path, ...renamed];
}

/** The last entry that begins at or before a task. */
function findEntry(entries: readonly PlannedEntry[], task: number): number {
  let low = 0;
  let high = entries.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((entries[middle]?.firstTask ?? 0) <= task) low = middle;
    else high = middle - 1;
  }
  return low;
}
