import type { Steps } from '@runnel/core';
import { describeCycle, type ParentGraph, searchCycles } from './cycles.ts';
import type { IssueList } from './issue-list.ts';
import { isClassLink, type SingleLinks, targetOf } from './packed-links.ts';
import { tasksPerStep } from './single-links.ts';
import { ClassMembers } from './single-members.ts';
import type { SingleTasks } from './single-tasks.ts';

/** Notes cycles with their path. Classes that somebody waits for as a whole are nodes too. */
export function* findSingleCycles(
  tasks: SingleTasks,
  links: SingleLinks,
  issues: IssueList,
): Steps<void> {
  if (yield* areParentsFirst(tasks, links)) return;
  const graph = new SingleGraph(tasks, links);
  yield* searchCycles(graph, (cycle) => {
    const entries = cycle.filter((node) => node < tasks.count);
    const [first] = entries;
    if (first === undefined) return;
    const path = ['tasks', tasks.keyOf(first)];
    issues.add(path, describeCycle(entries.map((node) => ({ node, name: tasks.idOf(node) }))));
  });
}

/** Mostly every task comes after all of its parents, and then there is no cycle to look for. */
function* areParentsFirst(tasks: SingleTasks, all: SingleLinks): Steps<boolean> {
  const lastOfClass = new Uint32Array(tasks.classes.length);
  for (let node = 0; node < tasks.count; node++) {
    lastOfClass[tasks.shapeOf(node).class.number] = node;
  }
  yield;
  for (let node = 0; node < tasks.count; node++) {
    if (hasLateParent(node, all, lastOfClass)) return false;
    if (node % tasksPerStep === 0) yield;
  }
  return true;
}

function hasLateParent(
  node: number,
  { starts, links }: SingleLinks,
  lastOfClass: Uint32Array,
): boolean {
  const end = starts[node + 1] ?? 0;
  for (let at = starts[node] ?? 0; at < end; at++) {
    const link = links[at] ?? 0;
    const parent = isClassLink(link) ? (lastOfClass[targetOf(link)] ?? 0) : targetOf(link);
    if (parent >= node) return true;
  }
  return false;
}

class SingleGraph implements ParentGraph {
  readonly entryCount: number;
  readonly nodeCount: number;
  readonly #links: SingleLinks;
  readonly #members: ClassMembers;

  constructor(tasks: SingleTasks, links: SingleLinks) {
    this.entryCount = tasks.count;
    this.nodeCount = tasks.count + tasks.classes.length;
    this.#links = links;
    this.#members = new ClassMembers(tasks);
  }

  parentOf(node: number, position: number): number | undefined {
    if (node >= this.entryCount) return this.#members.of(node - this.entryCount)[position];
    const { starts, links } = this.#links;
    const at = (starts[node] ?? 0) + position;
    if (at >= (starts[node + 1] ?? 0)) return undefined;
    const link = links[at] ?? 0;
    return targetOf(link) + (isClassLink(link) ? this.entryCount : 0);
  }
}
