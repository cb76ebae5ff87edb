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
  /** How many tasks were passed before: of the new spec in its order, of generated sets, then those that are removed. */
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
  for (const found of listAll(edit, fates)) {
    if (++place <= query.after || !isAsked(query, found.fate)) continue;
    if (tasks.length === query.limit) return { tasks, next: place - 1 };
    tasks.push('id' in found ? found : await readTask(edit, found));
  }
  return { tasks, next: null };
}

/** A task of the old revision whose id was not read so far. */
interface OldTask extends Pick<TaskFate, 'fate' | 'reason'> {
  readonly number: number;
}

async function readTask({ info }: PreparedEdit, task: OldTask): Promise<TaskFate> {
  const { number, ...found } = task;
  const { id, group } = await info.task(number);
  return { id, class: group.class, ...found };
}

function* listAll(edit: PreparedEdit, fates: Uint8Array): Generator<TaskFate | OldTask> {
  yield* listPlanned(edit, fates);
  yield* listGenerated(edit, fates);
  for (const number of listRemoved(edit)) yield { number, fate: 'removed', reason: null };
}

function isAsked({ fate }: FateQuery, found: Fate): boolean {
  return fate === undefined ? found !== 'reused' : found === fate;
}

/** Tasks of sets that go on with their generators, and of those that go since these run again. */
function* listGenerated({ old, numbering }: PreparedEdit, fates: Uint8Array): Generator<OldTask> {
  for (let number = 0; number < old.nodeCount; number++) {
    if (numbering.isCarried[number] !== 1 || old.kinds[number] !== nodeKinds.task) continue;
    const found = readFate(fates[number] ?? 0);
    if (found !== null) yield { number, ...found };
  }
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
