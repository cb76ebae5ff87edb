import type { Entry } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import { type Link, type Links, pathOfOrigin } from './links.ts';

/** Points out tasks that wait for every task of a class although they share parameters with it. */
export function warnOfMissingMatch(
  entries: readonly Entry[],
  links: Links,
  warnings: IssueList,
): void {
  for (const child of entries) {
    if (child.table.columns.length === 0) continue;
    for (const link of links[child.index] ?? []) warnOfLink(child, link, warnings);
  }
}

function warnOfLink(child: Entry, link: Link, warnings: IssueList): void {
  if (link.kind !== 'all') return;
  const { class: set, entry } = link.parents;
  const parent = entry ?? set.entries[0];
  const shared = parent === undefined ? [] : sharedAxes(child, parent);
  if (shared.length === 0) return;
  const names = [child.class, set.name].map((name) => JSON.stringify(name));
  warnings.add(
    pathOfOrigin(link.origin),
    `each task of ${names[0]} waits for every task of ${names[1]}, though both use ${shared.join(', ')}: did you mean { class: ${set.name}, match: true }?`,
  );
}

function sharedAxes(child: Entry, parent: Entry): string[] {
  const names = new Set(parent.table.columns.map((column) => column.name));
  return child.table.columns.map((column) => column.name).filter((name) => names.has(name));
}
