import { edgeRuleOf, type On, packEdge, type RunIf } from '@runnel/core';
import type { Entry } from './entry.ts';
import type { Link, TaskSet } from './links.ts';

type SetLink = Extract<Link, { kind: 'all' }>;

/** One node between all tasks of a set and all that wait for them: N + M edges, not N × M. */
export interface Barrier {
  readonly parents: TaskSet;
  readonly runIf: RunIf;
  readonly on: On;
  readonly taskCount: number;
  /** Its place behind the tasks. */
  readonly index: number;
}

/** What an edge of a child waits for: `on` counts only with the default rule. */
export function edgeOf(runIf: RunIf, on: On, id: number): number {
  return packEdge(id, onOf(runIf, on), edgeRuleOf(runIf));
}

function onOf(runIf: RunIf, on: On): On {
  switch (runIf) {
    case 'all-succeeded':
      return on;
    case 'any-failed':
      return 'failed';
    case 'all-done':
      return 'done';
    default:
      return 'succeeded';
  }
}

/** Finds the barriers: where several tasks wait for all of several others. */
export function findBarriers(
  entries: readonly Entry[],
  links: readonly (readonly Link[])[],
): ReadonlyMap<string, Barrier> {
  const children = countChildren(entries, links);
  const barriers = new Map<string, Barrier>();
  for (const entry of entries) {
    for (const link of links[entry.index] ?? []) {
      if (link.kind !== 'all') continue;
      const key = barrierKey(link, entry.runIf);
      const taskCount = countTasks(link.parents);
      if (barriers.has(key) || taskCount < 2 || (children.get(key) ?? 0) < 2) continue;
      const { parents, on } = link;
      barriers.set(key, { parents, runIf: entry.runIf, on, taskCount, index: barriers.size });
    }
  }
  return barriers;
}

function countChildren(
  entries: readonly Entry[],
  links: readonly (readonly Link[])[],
): Map<string, number> {
  const children = new Map<string, number>();
  for (const entry of entries) {
    for (const link of links[entry.index] ?? []) {
      if (link.kind !== 'all') continue;
      const key = barrierKey(link, entry.runIf);
      const count = link.childRow === null ? entry.table.count : 1;
      children.set(key, (children.get(key) ?? 0) + count);
    }
  }
  return children;
}

/** A barrier is shared by all that wait for the same tasks in the same way; also its name. */
export function barrierKey(link: SetLink | Barrier, runIf: RunIf): string {
  const { class: set, entry } = link.parents;
  const parents = entry === null ? set.name : `${set.name}#${entry.index}`;
  return barrierName(parents, runIf, link.on);
}

export function barrierName(parents: string, runIf: RunIf, on: On): string {
  return `barrier:${parents}:${runIf}:${on}`;
}

export function countTasks(set: TaskSet): number {
  return set.entry === null ? set.class.taskCount : set.entry.table.count;
}

/** Calls `visit` with the number of each task of a set, ascending. */
export function visitTasks(set: TaskSet, visit: (id: number) => void): void {
  const entries = set.entry === null ? set.class.entries : [set.entry];
  for (const { firstId, table } of entries) {
    for (let row = 0; row < table.count; row++) visit(firstId + row);
  }
}
