import { taskId } from '@runnel/core';
import { planPayloads } from '@runnel/store';
import { listRemoved } from './count-fates.ts';
import { type Fate, type RerunReason, readFate } from './fates.ts';
import { nodeKinds } from './node-facts.ts';
import type { PreparedEdit } from './prepare-edit.ts';

/** What an edit does with one task. */
export interface TaskFate {
  readonly id: string;
  readonly class: string;
  readonly fate: Fate;
  readonly reason: RerunReason | null;
}

export interface FateQuery {
  /** Default: all but those whose result is reused. */
  readonly fate?: Fate | undefined;
  readonly limit: number;
  /** How many tasks were passed before: of the new spec in its order, then those that are removed. */
  readonly after: number;
}

/** A page of fates; `next` is null at the end. */
export async function listFates(
  edit: PreparedEdit,
  fates: Uint8Array,
  query: FateQuery,
): Promise<{ readonly tasks: readonly TaskFate[]; readonly next: number | null }> {
  const tasks: TaskFate[] = [];
  let place = 0;
  for (const found of listPlanned(edit, fates)) {
    if (++place <= query.after || !isAsked(query, found.fate)) continue;
    if (tasks.length === query.limit) return { tasks, next: place - 1 };
    tasks.push(found);
  }
  if (!isAsked(query, 'removed')) return { tasks, next: null };
  for (const number of listRemoved(edit)) {
    if (++place <= query.after) continue;
    if (tasks.length === query.limit) return { tasks, next: place - 1 };
    const { id, group } = await edit.info.task(number);
    tasks.push({ id, class: group.class, fate: 'removed', reason: null });
  }
  return { tasks, next: null };
}

function isAsked({ fate }: FateQuery, found: Fate): boolean {
  return fate === undefined ? found !== 'reused' : found === fate;
}

function* listPlanned(edit: PreparedEdit, fates: Uint8Array): Generator<TaskFate> {
  const { fresh, numbering } = edit;
  let node = 0;
  for (const payload of planPayloads(edit.plan)) {
    const group = fresh.groups[fresh.groupOf[node] ?? 0];
    const found = readFate(fates[numbering.numberOf[node] ?? 0] ?? 0);
    const isTask = fresh.kinds[node] === nodeKinds.task;
    node++;
    if (!isTask || found === null || group === undefined) continue;
    yield { id: taskId(group, payload), class: group.class, ...found };
  }
}
