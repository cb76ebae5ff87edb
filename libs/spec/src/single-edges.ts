import { edgeRuleOf, packEdge, type RunIf, type Steps } from '@runnel/core';
import { edgeOf } from './barriers.ts';
import { type Edges, EdgeWriter, sortById } from './edges.ts';
import { isClassLink, onOfLink, type SingleLinks, targetOf } from './packed-links.ts';
import type { SingleBarriers } from './single-barriers.ts';
import { tasksPerStep } from './single-links.ts';
import { ClassMembers } from './single-members.ts';
import type { SingleTasks } from './single-tasks.ts';

/** The edges that links become: to a task, to each of a class, or to the barrier before it. */
export class SingleEdges {
  readonly #tasks: SingleTasks;
  readonly #links: SingleLinks;
  readonly #barriers: SingleBarriers;
  readonly #members: ClassMembers | null;

  constructor(tasks: SingleTasks, links: SingleLinks, barriers: SingleBarriers) {
    this.#tasks = tasks;
    this.#links = links;
    this.#barriers = barriers;
    this.#members = links.links.some(isClassLink) ? new ClassMembers(tasks) : null;
  }

  count(): number {
    const { starts, links } = this.#links;
    let count = links.length;
    for (const { parents } of this.#barriers.list) count += parents.taskCount;
    for (let node = 0; this.#members !== null && node < this.#tasks.count; node++) {
      const { runIf } = this.#tasks.shapeOf(node);
      for (let at = starts[node] ?? 0; at < (starts[node + 1] ?? 0); at++) {
        const link = links[at] ?? 0;
        const isSpread = isClassLink(link) && this.#barriers.find(link, runIf) === undefined;
        if (isSpread) count += this.#membersOf(link).length - 1;
      }
    }
    return count;
  }

  /** The parents of every node: first the tasks, then the barriers. The links may give way to them. */
  *write(edgeCount: number): Steps<Edges> {
    if (this.#members === null) return yield* this.#turnLinks();
    const { starts, links } = this.#links;
    const { count } = this.#tasks;
    const barriers = this.#barriers.list;
    const writer = new EdgeWriter(count + barriers.length, edgeCount);
    yield;
    for (let node = 0; node < count; node++) {
      const { runIf } = this.#tasks.shapeOf(node);
      const end = starts[node + 1] ?? 0;
      for (let at = starts[node] ?? 0; at < end; at++) this.#add(writer, runIf, links[at] ?? 0);
      writer.endNode();
      if (node % tasksPerStep === 0) yield;
    }
    for (const { parents, runIf, on } of barriers) {
      for (const id of this.#members.of(parents.number)) writer.add(edgeOf(runIf, on, id));
      writer.endNode();
      yield;
    }
    return writer.finish();
  }

  /** Where every link is to a task it becomes the edge, in its place. */
  *#turnLinks(): Steps<Edges> {
    const { starts, links } = this.#links;
    for (let node = 0; node < this.#tasks.count; node++) {
      const { runIf } = this.#tasks.shapeOf(node);
      const start = starts[node] ?? 0;
      const end = starts[node + 1] ?? 0;
      for (let at = start; at < end; at++) {
        const link = links[at] ?? 0;
        links[at] = edgeOf(runIf, onOfLink(link), targetOf(link));
      }
      if (end - start > 1) sortById(links.subarray(start, end));
      if (node % tasksPerStep === 0) yield;
    }
    return { parentOffsets: starts, parents: links };
  }

  #add(writer: EdgeWriter, runIf: RunIf, link: number): void {
    const on = onOfLink(link);
    if (!isClassLink(link)) {
      writer.add(edgeOf(runIf, on, targetOf(link)));
      return;
    }
    const barrier = this.#barriers.find(link, runIf);
    if (barrier === undefined) {
      for (const id of this.#membersOf(link)) writer.add(edgeOf(runIf, on, id));
      return;
    }
    writer.add(packEdge(this.#tasks.count + barrier.index, 'succeeded', edgeRuleOf(runIf)));
  }

  #membersOf(link: number): Uint32Array {
    return this.#members?.of(targetOf(link)) ?? new Uint32Array(0);
  }
}
