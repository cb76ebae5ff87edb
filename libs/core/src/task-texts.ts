import { isJsonObject } from './json.ts';
import type { TaskPayload } from './plan.ts';

/**
 * Tasks that came one by one are kept as they were sent, so that nothing of them is kept twice: from
 * their texts workers take ids and details, and the spec is put together again. Between two texts
 * stands this, so that brackets make a list of JSON of them. A task of a line holds no line break:
 * there the comma is one of these.
 */
export const betweenTexts = ',\n';

/** What differs between tasks, from their texts; details that are not given are those of the group. */
export function readTaskTexts(texts: string): readonly TaskPayload[] {
  const rows: unknown = JSON.parse(`[${texts}]`);
  return Array.isArray(rows) ? rows.map(toPayload) : [];
}

function toPayload(row: unknown): TaskPayload {
  if (!isJsonObject(row)) throw new Error('the text of a task is no object');
  const { id, details } = row;
  return {
    values: [],
    ...(typeof id === 'string' ? { id } : {}),
    // As where the spec is read: null is the same as nothing at all, whatever the defaults say.
    ...(details === undefined ? {} : { details: details ?? {} }),
  };
}
