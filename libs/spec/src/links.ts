import { type On, type RunIf, suggest } from '@runnel/core';
import { baseOf, type Entry, pathOf } from './entry.ts';
import { bareAxisName, type RawRef } from './entry-fields.ts';
import type { IssueList, Path } from './issue-list.ts';
import type { Names, TaskClass } from './names.ts';

/** Every task of a class, or of one of its entries. */
export interface TaskSet {
  readonly class: TaskClass;
  /** Null: the whole class. */
  readonly entry: Entry | null;
}

/** Where a link was written. */
export interface Origin {
  readonly entry: Entry;
  readonly side: 'parents' | 'children';
  readonly position: number;
}

interface LinkBase {
  readonly on: On;
  readonly origin: Origin;
  /** Only this task of the child entry; null: each of them. */
  readonly childRow: number | null;
}

/** What an entry waits for, once its names are resolved. */
export type Link =
  | (LinkBase & { readonly kind: 'all'; readonly parents: TaskSet })
  | (LinkBase & {
      readonly kind: 'match';
      readonly parents: TaskSet;
      /** True: all shared axes. */
      readonly axes: true | readonly string[];
      readonly isOptional: boolean;
    })
  | (LinkBase & { readonly kind: 'task'; readonly entry: Entry; readonly row: number });

/** The links of each entry, as the child, by its index. */
export type Links = readonly (readonly Link[])[];

/** What messages about unknown names are made from. */
export interface KnownNames {
  hasClass(name: string): boolean;
  hasTask(id: string): boolean;
  classNames(): Iterable<string>;
  ids(): Iterable<string>;
}

interface Context {
  readonly names: Names;
  readonly brokenNames: ReadonlySet<unknown>;
  readonly issues: IssueList;
  /** Of generated tasks: takes names that are not in the set. */
  readonly outer?: OuterRef[] | undefined;
}

/** A parent that generated tasks name, and that is not one of them: a task of the run that they join. */
export interface OuterRef {
  readonly kind: 'class' | 'id';
  readonly name: string;
  readonly on: On;
  readonly runIf: RunIf;
  readonly path: Path;
  /** The children: tasks `first` … `first + count - 1` of the set. */
  readonly first: number;
  readonly count: number;
  /** What is said where the run has no such task either. */
  describe(): string;
}

/** Resolves `parents` and `children` of every entry; names that nobody has are noted. */
export function resolveLinks(entries: readonly Entry[], context: Context): Link[][] {
  const links: Link[][] = entries.map(() => []);
  const target: Target = { context, links, fanOut: 0 };
  for (const entry of entries) {
    for (const [position, ref] of entry.parents.entries()) {
      addParent({ entry, side: 'parents', position }, ref, target);
    }
    for (const [position, ref] of entry.children.entries()) {
      addChild({ entry, side: 'children', position }, ref, target);
    }
  }
  return links;
}

interface Target {
  readonly context: Context;
  readonly links: Link[][];
  /** Links that references to a class of children have made. */
  fanOut: number;
}

/** Thousands of entries that name a class of a million as their children would fill the memory. */
export const maxFanOut = 2_000_000;

function addParent(origin: Origin, ref: RawRef, target: Target): void {
  const found = findRef(origin, ref, target.context);
  if (found === undefined) return;
  const base = { on: onOf(ref), origin, childRow: null };
  const child = origin.entry;
  if ('row' in found) {
    addLink(child, { kind: 'task', entry: found.entry, row: found.row, ...base }, target);
  } else {
    addLink(child, linkToSet(ref, { class: found, entry: null }, base), target);
  }
}

function addChild(origin: Origin, ref: RawRef, target: Target): void {
  const found = findRef(origin, ref, target.context);
  if (found === undefined) return;
  const owner = target.context.names.classOf(origin.entry.class);
  if (owner === undefined) return;
  const parents = { class: owner, entry: origin.entry };
  const on = onOf(ref);
  if ('row' in found) {
    const childRow = found.entry.table.columns.length === 0 ? null : found.row;
    addLink(found.entry, { kind: 'all', parents, on, origin, childRow }, target);
    return;
  }
  target.fanOut += found.entries.length;
  if (target.fanOut > maxFanOut) {
    target.context.issues.add(pathOfOrigin(origin), describeTooManyPairs());
    return;
  }
  for (const child of found.entries) {
    addLink(child, linkToSet(ref, parents, { on, origin, childRow: null }), target);
  }
}

function linkToSet(ref: RawRef, parents: TaskSet, base: LinkBase): Link {
  if (typeof ref === 'string' || 'id' in ref || ref.match === undefined) {
    return { kind: 'all', parents, ...base };
  }
  const axes = ref.match === true ? true : ref.match.map(bareAxisName);
  return { kind: 'match', parents, axes, isOptional: ref.optional ?? false, ...base };
}

function onOf(ref: RawRef): On {
  return typeof ref === 'string' ? 'succeeded' : (ref.on ?? 'succeeded');
}

function addLink(child: Entry, link: Link, target: Target): void {
  const { context, links } = target;
  if (contains(link, child)) {
    const isOfSeveral = link.kind !== 'task' && link.parents.class.entries.length > 1;
    const ofClass = isOfSeveral ? child.class : null;
    context.issues.add(pathOfOrigin(link.origin), describeOwnParent(baseOf(child), ofClass));
    return;
  }
  const ref = link.origin.entry[link.origin.side][link.origin.position];
  const hasOn = typeof ref === 'object' && ref.on !== undefined;
  if (hasOn && child.runIf !== 'all-succeeded') {
    context.issues.add(
      [...pathOfOrigin(link.origin), 'on'],
      describeIdleOn(child.class, child.runIf),
    );
  }
  links[child.index]?.push(link);
}

function contains(link: Link, child: Entry): boolean {
  if (link.kind === 'task') return link.entry === child;
  const { entry, class: set } = link.parents;
  return entry === null ? set.name === child.class : entry === child;
}

/** These messages are shared with single tasks. */
export function describeOwnParent(name: string, ofClass: string | null): string {
  const message = `${JSON.stringify(name)} is its own parent`;
  return ofClass === null
    ? message
    : `${message}: it is one of the class ${JSON.stringify(ofClass)}; name single tasks with { id }`;
}

export function describeIdleOn(className: string, runIf: RunIf): string {
  return `"on" goes only with the default runIf, and ${JSON.stringify(className)} has runIf ${runIf}`;
}

export function describeTooManyPairs(): string {
  return `more than ${maxFanOut} pairs of entries depend on each other: let them meet in a barrier`;
}

export function pathOfOrigin(origin: Origin): Path {
  return pathOf(origin.entry, origin.side, origin.position);
}

function findRef(
  origin: Origin,
  ref: RawRef,
  context: Context,
): TaskClass | { readonly entry: Entry; readonly row: number } | undefined {
  const isText = typeof ref === 'string';
  if (!isText && 'id' in ref) return findTask(ref.id, origin, context);
  if (!isText && ref.optional !== undefined && ref.match === undefined) {
    const path = [...pathOfOrigin(origin), 'optional'];
    context.issues.add(path, '"optional" goes only with "match"');
  }
  return findClass(isText ? ref : ref.class, origin, context);
}

function findTask(id: string, origin: Origin, context: Context): ReturnType<Names['findTask']> {
  const found = context.names.findTask(id);
  if (found === undefined && !isBroken(id, context.brokenNames)) {
    const path = [...pathOfOrigin(origin), 'id'];
    const describe = (): string => describeUnknownId(id, context.names);
    if (addOuter({ kind: 'id', name: id, path, describe }, origin, context)) return undefined;
    context.issues.add(path, describe);
  }
  return found;
}

export function describeUnknownId(id: string, names: KnownNames): string {
  const name = JSON.stringify(id);
  const hint = names.hasClass(id)
    ? `: it is the class of several tasks; write ${name} alone, or the id of one of them`
    : suggest(id, names.ids());
  return `no task has the id ${name}${hint}`;
}

function findClass(name: string, origin: Origin, context: Context): TaskClass | undefined {
  const found = context.names.classOf(name);
  if (found === undefined && !isBroken(name, context.brokenNames)) {
    const ref = origin.entry[origin.side][origin.position];
    const field = typeof ref === 'string' ? [] : ['class'];
    const path = [...pathOfOrigin(origin), ...field];
    const describe = (): string => describeUnknownClass(name, context.names);
    if (addOuter({ kind: 'class', name, path, describe }, origin, context)) return undefined;
    context.issues.add(path, describe);
  }
  return found;
}

/** True where the name is left to the run that generated tasks join. */
function addOuter(
  found: Pick<OuterRef, 'kind' | 'name' | 'path' | 'describe'>,
  { entry, side, position }: Origin,
  { outer, issues }: Context,
): boolean {
  if (outer === undefined || side === 'children') return false;
  const { runIf, firstId: first, table } = entry;
  const ref = entry[side][position];
  const on = ref === undefined ? 'succeeded' : onOf(ref);
  const isMatch = typeof ref === 'object' && 'match' in ref && ref.match !== undefined;
  if (isMatch) issues.add([...found.path.slice(0, 4), 'match'], describeOuterMatch(found.name));
  if (on !== 'succeeded' && runIf !== 'all-succeeded') {
    issues.add([...found.path.slice(0, 4), 'on'], describeIdleOn(entry.class, runIf));
  }
  outer.push({ ...found, on, runIf, first, count: table.count });
  return true;
}

function describeOuterMatch(name: string): string {
  return `"match" pairs generated tasks with each other: no class of the set is named ${JSON.stringify(name)}`;
}

export function describeUnknownClass(name: string, names: KnownNames): string {
  const quoted = JSON.stringify(name);
  const hint = names.hasTask(name)
    ? `: it is the id of a task; write { id: ${quoted} }`
    : suggest(name, names.classNames());
  return `no task has the class ${quoted}${hint}`;
}

/** Of an entry that is wrong itself nothing more is said. */
export function isBroken(name: string, broken: ReadonlySet<unknown>): boolean {
  if (broken.size === 0) return false;
  for (let colon = name.indexOf(':'); colon !== -1; colon = name.indexOf(':', colon + 1)) {
    if (broken.has(name.slice(0, colon))) return true;
  }
  return broken.has(name);
}
