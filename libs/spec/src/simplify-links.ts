import type { On } from '@runnel/core';
import type { Entry } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import { type Link, pathOfOrigin } from './links.ts';
import type { TaskClass } from './names.ts';

/**
 * Edges are a set: what is named twice, or from both sides, becomes one link. Two links that give
 * the same edge a different `on` contradict each other, which is noted.
 */
export function simplifyLinks(links: readonly Link[], issues: IssueList): readonly Link[] {
  const normal = links.some(isLoose) ? links.map(normalize) : links;
  if (areFewSingleTasks(normal)) return normal;
  return dropCovered(dropDoubled(normal, issues), issues);
}

/** The common case of a large irregular graph, told without building anything. */
function areFewSingleTasks(links: readonly Link[]): boolean {
  if (links.length < 2) return true;
  if (links.length > 8) return false;
  return links.every(
    (link, index) =>
      link.kind === 'task' &&
      links.findIndex((other) => other.kind === 'task' && other.entry === link.entry) === index,
  );
}

/** A set of one task is that task; a class of one entry is the class. */
function isLoose(link: Link): boolean {
  return link.kind !== 'task';
}

function normalize(link: Link): Link {
  if (link.kind === 'task') return link;
  const { class: set, entry } = link.parents;
  const only = entry ?? (set.entries.length === 1 ? set.entries[0] : undefined);
  if (link.kind === 'all' && only?.table.count === 1) {
    const { on, origin, childRow } = link;
    return { kind: 'task', entry: only, row: 0, on, origin, childRow };
  }
  return entry !== null && set.entries.length === 1
    ? { ...link, parents: { class: set, entry: null } }
    : link;
}

function dropDoubled(links: readonly Link[], issues: IssueList): readonly Link[] {
  const byKey = new Map<string, Link>();
  for (const link of links) {
    const key = keyOf(link);
    const first = byKey.get(key);
    if (first === undefined || isStricter(link, first)) byKey.set(key, link);
    if (first !== undefined && first.on !== link.on) addConflict(link, first, issues);
  }
  return [...byKey.values()];
}

function keyOf(link: Link): string {
  const child = link.childRow === null ? '' : `@${link.childRow}`;
  if (link.kind === 'task') return `task ${link.entry.index} ${link.row}${child}`;
  const { class: set, entry } = link.parents;
  const parents = entry === null ? set.name : `#${entry.index}`;
  if (link.kind === 'all') return `all ${parents}${child}`;
  return `match ${parents} ${link.axes === true ? '*' : [...link.axes].sort().join()}`;
}

function isStricter(link: Link, first: Link): boolean {
  return link.kind === 'match' && first.kind === 'match' && first.isOptional && !link.isOptional;
}

/** A link to every task of a class covers all others to the class. */
function dropCovered(links: readonly Link[], issues: IssueList): readonly Link[] {
  const classes = new Map<TaskClass | string, Link>();
  const entries = new Map<Entry, Link>();
  for (const link of links) {
    if (link.kind !== 'all' || link.childRow !== null) continue;
    if (link.parents.entry === null) classes.set(link.parents.class.name, link);
    else entries.set(link.parents.entry, link);
  }
  if (classes.size + entries.size === 0) return links;
  return links.filter((link) => {
    const entry = link.kind === 'task' ? link.entry : link.parents.entry;
    const name = link.kind === 'task' ? link.entry.class : link.parents.class.name;
    const byEntry = entry === null ? undefined : entries.get(entry);
    const cover = classes.get(name) ?? byEntry;
    if (cover === undefined || cover === link) return true;
    if (cover.on !== link.on) addConflict(link, cover, issues);
    return false;
  });
}

function addConflict(link: Link, first: Link, issues: IssueList): void {
  const name = link.kind === 'task' ? (link.entry.id ?? link.entry.class) : link.parents.class.name;
  issues.add(pathOfOrigin(link.origin), describeConflict(name, link.on, first.on));
}

/** Shared with the check of single edges. */
export function describeConflict(parent: string, on: On, other: On): string {
  return `the same edge from ${JSON.stringify(parent)} is given with on: ${other} and with on: ${on}`;
}
