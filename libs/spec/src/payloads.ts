import { composeTaskId, type TaskPayload } from '@runnel/core';
import type { Entry } from './entry.ts';
import { rowValues } from './table.ts';

const empty: TaskPayload = { values: [] };

/** The payloads of all nodes, one by one: a million are never one array. */
export function* listPayloads(
  entries: readonly Entry[],
  /** 1 for each entry whose details are not those of its group. */
  differs: Uint8Array,
  barrierCount: number,
): Generator<TaskPayload> {
  for (const entry of entries) yield* payloadsOf(entry, differs[entry.index] === 1);
  for (let index = 0; index < barrierCount; index++) yield empty;
}

function* payloadsOf(entry: Entry, hasOwnDetails: boolean): Generator<TaskPayload> {
  const rest = hasOwnDetails ? { details: entry.details } : {};
  const axes = entry.table.columns.map((column) => column.name);
  if (entry.id === undefined && axes.length === 0 && !hasOwnDetails) {
    yield empty;
    return;
  }
  for (let row = 0; row < entry.table.count; row++) {
    const values = rowValues(entry.table, row);
    const id = entry.id === undefined ? {} : { id: composeTaskId(entry.id, axes, values) };
    yield { values, ...id, ...rest };
  }
}
