import type { On, RunIf, Steps } from '@runnel/core';
import type { IssueList, Path } from './issue-list.ts';
import {
  describeIdleOn,
  describeOwnParent,
  describeTooManyPairs,
  describeUnknownClass,
  describeUnknownId,
  isBroken,
  type KnownNames,
  maxFanOut,
} from './links.ts';
import { childrenBit, noLink, type Origins, packLink, type SingleLinks } from './packed-links.ts';
import { ClassMembers } from './single-members.ts';
import { formOf, numberOf, onOf, type SingleClass, type SingleTasks } from './single-tasks.ts';

/** Tasks between two turns of others. */
export const tasksPerStep = 4096;

/** Resolves every reference; what nobody has is noted. The references give way to the links. */
export function* resolveSingles(tasks: SingleTasks, issues: IssueList): Steps<SingleLinks> {
  const resolver = new Resolver(tasks, issues);
  const starts = tasks.refStarts();
  const links = tasks.refs();
  for (let node = 0; node < tasks.count; node++) {
    const start = starts[node] ?? 0;
    const end = starts[node + 1] ?? 0;
    for (let at = start; at < end; at++) {
      links[at] = resolver.linkToParent(node, at - start, links[at] ?? 0);
    }
    if (node % tasksPerStep === 0) yield;
  }
  const own = { starts, links, origins: null };
  return tasks.childRefs.refs.length === 0 ? own : yield* addChildren(tasks, own, resolver);
}

/** Where a reference stands. */
interface Place {
  readonly node: number;
  readonly side: 'parents' | 'children';
  readonly position: number;
}

class Resolver {
  readonly #tasks: SingleTasks;
  readonly #issues: IssueList;
  readonly #names: KnownNames;
  #members: ClassMembers | undefined;

  constructor(tasks: SingleTasks, issues: IssueList) {
    this.#tasks = tasks;
    this.#issues = issues;
    this.#names = namesOf(tasks);
  }

  linkToParent(node: number, position: number, ref: number): number {
    const place: Place = { node, side: 'parents', position };
    const shape = this.#tasks.shapeOf(node);
    const on = onOf(ref);
    if (formOf(ref) === 'id') {
      const parent = this.#findTask(ref, place);
      if (parent === -1) return noLink;
      const isOwn = parent === node && this.#noteOwnParent(node, place, null);
      return isOwn ? noLink : this.#link(parent, { on, node, place, isClass: false });
    }
    const found = this.#findClass(ref, place);
    if (found === undefined) return noLink;
    if (found === shape.class) {
      this.#noteOwnParent(node, place, found.taskCount > 1 ? found.name : null);
      return noLink;
    }
    const isClass = found.taskCount > 1;
    return this.#link(isClass ? found.number : found.firstNode, { on, node, place, isClass });
  }

  /** Calls `add` with each child that a reference means, and the link that it gets. */
  visitChildren(place: Place, ref: number, add: (child: number, link: number) => void): void {
    const isTask = formOf(ref) === 'id';
    const children = isTask ? [this.#findTask(ref, place)] : this.#membersOf(ref, place);
    for (const child of children) {
      if (child === -1) continue;
      if (child === place.node) this.#noteOwnParent(child, place, this.#classOfSeveral(child));
      else
        add(child, this.#link(place.node, { on: onOf(ref), node: child, place, isClass: false }));
    }
  }

  #membersOf(ref: number, place: Place): Uint32Array | readonly number[] {
    const found = this.#findClass(ref, place);
    if (found === undefined) return [];
    this.#members ??= new ClassMembers(this.#tasks);
    return this.#members.of(found.number);
  }

  #link(
    target: number,
    {
      on,
      node,
      place,
      isClass,
    }: { on: On | undefined; node: number; place: Place; isClass: boolean },
  ): number {
    const { runIf, class: set } = this.#tasks.shapeOf(node);
    if (on !== undefined && runIf !== 'all-succeeded') this.#noteIdleOn(set.name, runIf, place);
    return packLink(target, on ?? 'succeeded', isClass);
  }

  #noteIdleOn(name: string, runIf: RunIf, place: Place): void {
    this.#issues.add([...this.pathOf(place), 'on'], describeIdleOn(name, runIf));
  }

  #noteOwnParent(node: number, place: Place, ofClass: string | null): true {
    const message = describeOwnParent(this.#tasks.idOf(node), ofClass);
    this.#issues.add(this.pathOf(place), message);
    return true;
  }

  #classOfSeveral(node: number): string | null {
    const { name, taskCount } = this.#tasks.shapeOf(node).class;
    return taskCount > 1 ? name : null;
  }

  #findTask(ref: number, place: Place): number {
    const tasks = this.#tasks;
    const found = tasks.nodeOfName(numberOf(ref));
    if (found !== -1) return found;
    const id = tasks.names.text(numberOf(ref));
    if (!isBroken(id, tasks.brokenNames)) {
      this.#issues.add([...this.pathOf(place), 'id'], () => describeUnknownId(id, this.#names));
    }
    return -1;
  }

  #findClass(ref: number, place: Place): SingleClass | undefined {
    const tasks = this.#tasks;
    const found = tasks.classes[numberOf(ref)];
    if (found === undefined || found.taskCount > 0) return found;
    if (!isBroken(found.name, tasks.brokenNames)) {
      const field = formOf(ref) === 'class' ? [] : ['class'];
      const path = [...this.pathOf(place), ...field];
      this.#issues.add(path, () => describeUnknownClass(found.name, this.#names));
    }
    return undefined;
  }

  noteTooMany(place: Place): void {
    this.#issues.add(this.pathOf(place), describeTooManyPairs());
  }

  pathOf({ node, side, position }: Place): Path {
    return ['tasks', this.#tasks.keyOf(node), side, position];
  }
}

function namesOf(tasks: SingleTasks): KnownNames {
  return {
    hasClass: (name) => tasks.hasClass(name),
    hasTask: (id) => tasks.nodeOfId(id) !== -1,
    *classNames() {
      for (const { name, taskCount } of tasks.classes) if (taskCount > 0) yield name;
    },
    *ids() {
      for (let node = 0; node < tasks.count; node++) yield tasks.idOf(node);
    },
  };
}

/** A task whose writer named it as its child. */
interface Pairs {
  readonly children: number[];
  readonly links: number[];
  readonly writers: number[];
  readonly positions: number[];
}

/**
 * Puts the links that were written as `children` between a task's own, as if both sides were read in
 * the order of the tasks.
 */
function* addChildren(
  tasks: SingleTasks,
  own: SingleLinks,
  resolver: Resolver,
): Steps<SingleLinks> {
  const pairs = yield* listPairs(tasks, resolver);
  const total = own.links.length + pairs.children.length;
  const starts = new Uint32Array(tasks.count + 1);
  for (let node = 0; node < tasks.count; node++) {
    starts[node + 1] = (own.starts[node + 1] ?? 0) - (own.starts[node] ?? 0);
  }
  for (const child of pairs.children) starts[child + 1] = (starts[child + 1] ?? 0) + 1;
  for (let node = 0; node < tasks.count; node++) {
    starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
  }
  yield;
  const merged: SingleLinks & { readonly origins: Origins } = {
    starts,
    links: new Uint32Array(total),
    origins: { writers: new Uint32Array(total), positions: new Uint32Array(total) },
  };
  const next = starts.slice();
  placePairs(pairs, { merged, next, isMeant: (writer, child) => writer < child });
  yield;
  for (let node = 0; node < tasks.count; node++) placeOwn(node, own, { merged, next });
  yield;
  placePairs(pairs, { merged, next, isMeant: (writer, child) => writer > child });
  return merged;
}

function* listPairs(tasks: SingleTasks, resolver: Resolver): Steps<Pairs> {
  const { writers, positions, refs } = tasks.childRefs;
  const pairs: Pairs = { children: [], links: [], writers: [], positions: [] };
  for (let index = 0; index < refs.length; index++) {
    const place = {
      node: writers.at(index),
      side: 'children',
      position: positions.at(index),
    } as const;
    resolver.visitChildren(place, refs.at(index), (child, link) => {
      pairs.children.push(child);
      pairs.links.push(link);
      pairs.writers.push(place.node);
      pairs.positions.push(place.position);
    });
    if (pairs.children.length > maxFanOut) {
      resolver.noteTooMany(place);
      return pairs;
    }
    if (index % 256 === 0) yield;
  }
  return pairs;
}

interface Placing {
  readonly merged: SingleLinks & { readonly origins: Origins };
  /** Where the next link of each task goes. */
  readonly next: Uint32Array;
}

function placePairs(
  pairs: Pairs,
  { merged, next, isMeant }: Placing & { isMeant(writer: number, child: number): boolean },
): void {
  for (const [index, child] of pairs.children.entries()) {
    const writer = pairs.writers[index] ?? 0;
    if (!isMeant(writer, child)) continue;
    const at = next[child] ?? 0;
    next[child] = at + 1;
    merged.links[at] = pairs.links[index] ?? 0;
    merged.origins.writers[at] = writer;
    merged.origins.positions[at] = (pairs.positions[index] ?? 0) + childrenBit;
  }
}

function placeOwn(node: number, own: SingleLinks, { merged, next }: Placing): void {
  const start = own.starts[node] ?? 0;
  const end = own.starts[node + 1] ?? 0;
  let to = next[node] ?? 0;
  for (let at = start; at < end; at++, to++) {
    merged.links[to] = own.links[at] ?? 0;
    merged.origins.writers[to] = node;
    merged.origins.positions[to] = at - start;
  }
  next[node] = to;
}
