import { type InputShape, suggest } from '@runnel/core';
import { baseOf, type Entry, pathOf } from './entry.ts';
import type { IssueList } from './issue-list.ts';
import type { Join } from './joins.ts';
import type { Link } from './links.ts';
import type { Names } from './names.ts';
import type { OutputUse } from './template-names.ts';

/** How the outputs of each parent class reach an entry, in the order in which they are named. */
export function shapeInputs(
  links: readonly Link[],
  joins: ReadonlyMap<Link, Join>,
): readonly InputShape[] {
  if (links.length === 0) return [];
  const shapes = new Map<string, InputShape>();
  for (const link of links) {
    if (!hasOutputs(link)) continue;
    const name = link.kind === 'task' ? link.entry.class : link.parents.class.name;
    const isOne = link.kind === 'task' || joins.get(link)?.isSingle === true;
    shapes.set(name, { class: name, single: isOne && !shapes.has(name) });
  }
  return [...shapes.values()];
}

/** Barriers end, but hand nothing on. */
function hasOutputs(link: Link): boolean {
  if (link.kind === 'task') return link.entry.policy.kind === 'task';
  const { class: set, entry } = link.parents;
  return entry === null ? set.hasTasks : entry.policy.kind === 'task';
}

/** Notes outputs that an entry can't read: of no direct parent, or a field of a list. */
export function checkOutputs(
  entry: Entry,
  inputs: readonly InputShape[],
  { names, issues }: { readonly names: Names; readonly issues: IssueList },
): void {
  const used = entry.template?.names;
  if (used === undefined) return;
  for (const use of used.outputs) {
    const hasClass = (name: string): boolean => names.classOf(name) !== undefined;
    const message = describeUnreadable(use, { reader: () => baseOf(entry), inputs, hasClass });
    if (message === null) continue;
    const leaf = used.places.get(use.name) ?? [];
    issues.add(pathOf(entry, 'details', ...leaf), message);
  }
}

/** Why a task can't read an output; null where it can. Shared with single tasks. */
export function describeUnreadable(
  use: OutputUse,
  reader: {
    reader(): string;
    readonly inputs: readonly InputShape[];
    hasClass(name: string): boolean;
  },
): (() => string) | null {
  const shape = reader.inputs.find((input) => input.class === use.class);
  if (shape?.single === true || (shape !== undefined && !use.readsField)) return null;
  return () => {
    const message =
      shape === undefined ? describeStranger(use.class, reader) : describeList(use.class);
    return `{{${use.name}}}: ${message}`;
  };
}

function describeStranger(
  name: string,
  { reader, inputs, hasClass }: Parameters<typeof describeUnreadable>[1],
): string {
  const quoted = JSON.stringify(name);
  if (!hasClass(name)) {
    const hint = suggest(
      name,
      inputs.map((input) => input.class),
    );
    return `no task has the class ${quoted}${hint}`;
  }
  return `${quoted} is no direct parent of ${JSON.stringify(reader())}: only outputs of direct parents can be read`;
}

function describeList(name: string): string {
  return `${JSON.stringify(name)} can be several tasks here, so its outputs are a list: write {{#outputs.${name}}}…{{/outputs.${name}}}`;
}
