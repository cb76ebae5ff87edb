import { fateCode } from './fates.ts';
import { nodeKinds } from './node-facts.ts';
import type { PreparedEdit } from './prepare-edit.ts';

/** What of a run is paused by itself after an edit. */
export interface KeptPauses {
  /** As they are stored: `g` and a group, `t` and a number -> since when, by whom. */
  readonly fields: ReadonlyMap<string, string>;
  readonly pausedGroups: number;
  readonly pausedTasks: number;
  isPaused(group: number, task: number): boolean;
}

/**
 * Classes that were paused stay so while they have tasks, also tasks that are new or of other groups now. So do
 * tasks that go on or run again. What is paused and gone is forgotten.
 */
export function keepPauses(
  edit: Pick<PreparedEdit, 'structure'>,
  fates: Uint8Array,
  paused: ReadonlyMap<string, string>,
): KeptPauses {
  const fields = new Map<string, string>();
  const { kinds } = edit.structure;
  const byClass = new Map<string, string>();
  for (const [field, value] of paused) {
    const number = Number(field.slice(1));
    const isThere = kinds[number] === nodeKinds.task && fates[number] !== fateCode.replaced;
    if (field.startsWith('g')) byClass.set(edit.structure.groups[number]?.class ?? '', value);
    else if (isThere) fields.set(field, value);
  }
  const pausedTasks = fields.size;
  for (const group of byClass.size === 0 ? [] : listUsed(edit, fates)) {
    const value = byClass.get(edit.structure.groups[group]?.class ?? '');
    if (value !== undefined) fields.set(`g${group}`, value);
  }
  return {
    fields,
    pausedTasks,
    pausedGroups: fields.size - pausedTasks,
    isPaused: (group, task) =>
      fields.size > 0 && (fields.has(`g${group}`) || fields.has(`t${task}`)),
  };
}

/** Groups that have tasks. */
function listUsed({ structure }: Pick<PreparedEdit, 'structure'>, fates: Uint8Array): Set<number> {
  const used = new Set<number>();
  for (let number = 0; number < structure.nodeCount; number++) {
    if (structure.kinds[number] !== nodeKinds.task || fates[number] === fateCode.replaced) continue;
    used.add(structure.groupOf[number] ?? 0);
  }
  return used;
}
