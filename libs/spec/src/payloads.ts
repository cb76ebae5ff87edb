import { composeTaskId, type Group, type TaskPayload } from '@runnel/core';
import type { Entry } from './entry.ts';
import { ownDetails } from './groups.ts';
import { rowValues } from './table.ts';

const empty: TaskPayload = { values: [] };

/** The payloads of all nodes, one by one: a million are never one array. */
export function* listPayloads(
  entries: readonly Entry[],
  groupOf: (entry: Entry) => Group | undefined,
  barrierCount: number,
): Generator<TaskPayload> {
  for (const entry of entries) yield* payloadsOf(entry, groupOf(entry));
  for (let index = 0; index < barrierCount; index++) yield empty;
}

function* payloadsOf(entry: Entry, group: Group | undefined): Generator<TaskPayload> {
  const details = ownDetails(entry, group);
  const rest = details === undefined ? {} : { details };
  const axes = entry.table.columns.map((column) => column.name);
  if (entry.id === undefined && axes.length === 0 && details === undefined) {
    yield empty;
    return;
  }
  for (let row = 0; row < entry.table.count; row++) {
    const values = rowValues(entry.table, row);
    const id = entry.id === undefined ? {} : { id: composeTaskId(entry.id, axes, values) };
    yield { values, ...id, ...rest };
  }
}
