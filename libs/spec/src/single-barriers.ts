import { type On, ons, type RunIf, runIfs, type Steps } from '@runnel/core';
import { isClassLink, onOfLink, type SingleLinks, targetOf } from './packed-links.ts';
import { tasksPerStep } from './single-links.ts';
import type { SingleClass, SingleTasks } from './single-tasks.ts';

/** One node between all tasks of a class and all that wait for them. */
export interface SingleBarrier {
  readonly parents: SingleClass;
  readonly runIf: RunIf;
  readonly on: On;
  /** Its place behind the tasks. */
  readonly index: number;
}

/** Barriers by what they stand for: a class, a rule and a condition. */
export class SingleBarriers {
  readonly list: SingleBarrier[] = [];
  readonly #byKey = new Map<number, SingleBarrier>();

  add(key: number, barrier: Omit<SingleBarrier, 'index'>): void {
    if (this.#byKey.has(key)) return;
    const indexed = { ...barrier, index: this.list.length };
    this.#byKey.set(key, indexed);
    this.list.push(indexed);
  }

  find(link: number, runIf: RunIf): SingleBarrier | undefined {
    return this.#byKey.get(keyOf(link, runIf));
  }
}

/** Finds where several tasks wait for all of a class, which has several. */
export function* findSingleBarriers(tasks: SingleTasks, all: SingleLinks): Steps<SingleBarriers> {
  const children = new Map<number, number>();
  yield* visitClassLinks(tasks, all, (link, runIf) => {
    const key = keyOf(link, runIf);
    children.set(key, (children.get(key) ?? 0) + 1);
  });
  const barriers = new SingleBarriers();
  if (children.size === 0) return barriers;
  yield* visitClassLinks(tasks, all, (link, runIf) => {
    const key = keyOf(link, runIf);
    const parents = tasks.classes[targetOf(link)];
    if (parents === undefined || (children.get(key) ?? 0) < 2) return;
    barriers.add(key, { parents, runIf, on: onOfLink(link) });
  });
  return barriers;
}

function* visitClassLinks(
  tasks: SingleTasks,
  { starts, links }: SingleLinks,
  visit: (link: number, runIf: RunIf) => void,
): Steps<void> {
  for (let node = 0; node < tasks.count; node++) {
    const end = starts[node + 1] ?? 0;
    for (let at = starts[node] ?? 0; at < end; at++) {
      const link = links[at] ?? 0;
      if (isClassLink(link)) visit(link, tasks.shapeOf(node).runIf);
    }
    if (node % tasksPerStep === 0) yield;
  }
}

function keyOf(link: number, runIf: RunIf): number {
  return (targetOf(link) * runIfs.length + runIfs.indexOf(runIf)) * ons.length + (link >>> 30);
}
