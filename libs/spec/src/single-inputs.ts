import type { InputShape, Steps } from '@runnel/core';
import { describeUnreadable } from './inputs.ts';
import type { IssueList } from './issue-list.ts';
import { isClassLink, type SingleLinks, targetOf } from './packed-links.ts';
import { tasksPerStep } from './single-links.ts';
import type { Shape, SingleTasks } from './single-tasks.ts';

/** How outputs reach tasks: few kinds, one number a task. */
export interface SingleInputs {
  readonly kinds: readonly (readonly InputShape[])[];
  readonly kindOf: Uint32Array;
}

/** Finds how the outputs of each parent class reach a task, and notes outputs that it can't read. */
export function* shapeSingleInputs(
  tasks: SingleTasks,
  links: SingleLinks,
  issues: IssueList,
): Steps<SingleInputs> {
  const table = new InputTable(tasks, links);
  const kindOf = new Uint32Array(tasks.count);
  const readable = new Set<string>();
  for (let node = 0; node < tasks.count; node++) {
    const kind = table.kindOf(node);
    kindOf[node] = kind;
    const shape = tasks.shapeOf(node);
    if (shape.reads !== null && !readable.has(`${shape.number} ${kind}`)) {
      const before = issues.count;
      checkReads(node, shape, { tasks, inputs: table.kinds[kind] ?? [], issues });
      if (issues.count === before) readable.add(`${shape.number} ${kind}`);
    }
    if (node % tasksPerStep === 0) yield;
  }
  return { kinds: table.kinds, kindOf };
}

function checkReads(
  node: number,
  { reads }: Shape,
  context: {
    readonly tasks: SingleTasks;
    readonly inputs: readonly InputShape[];
    readonly issues: IssueList;
  },
): void {
  const { tasks, inputs, issues } = context;
  for (const use of reads?.outputs ?? []) {
    const hasClass = (name: string): boolean => tasks.hasClass(name);
    const message = describeUnreadable(use, { reader: () => tasks.idOf(node), inputs, hasClass });
    if (message === null) continue;
    const leaf = reads?.places.get(use.name) ?? [];
    issues.add(['tasks', tasks.keyOf(node), 'details', ...leaf], message);
  }
}

/** Every list of inputs grows by one class from a shorter one: its number is found in a few steps. */
class InputTable {
  readonly kinds: InputShape[][] = [[]];
  readonly #tasks: SingleTasks;
  readonly #links: SingleLinks;
  readonly #longer = new Map<number, number>();
  /** By class: the last task that was seen to have it, and one more; and where in its list. */
  readonly #seenBy: Uint32Array;
  readonly #placeOf: Uint32Array;
  readonly #classes: number[] = [];
  readonly #singles: boolean[] = [];

  constructor(tasks: SingleTasks, links: SingleLinks) {
    this.#tasks = tasks;
    this.#links = links;
    this.#seenBy = new Uint32Array(tasks.classes.length);
    this.#placeOf = new Uint32Array(tasks.classes.length);
  }

  kindOf(node: number): number {
    const { starts, links } = this.#links;
    const end = starts[node + 1] ?? 0;
    this.#classes.length = 0;
    this.#singles.length = 0;
    for (let at = starts[node] ?? 0; at < end; at++) this.#take(node, links[at] ?? 0);
    let kind = 0;
    for (const [place, number] of this.#classes.entries()) {
      kind = this.#lengthen(kind, number, this.#singles[place] ?? false);
    }
    return kind;
  }

  #take(node: number, link: number): void {
    const isClass = isClassLink(link);
    const shape = isClass ? undefined : this.#tasks.shapeOf(targetOf(link));
    const set = shape?.class ?? this.#tasks.classes[targetOf(link)];
    // Barriers end, but hand nothing on.
    const hasOutputs = shape === undefined ? set?.hasTasks === true : shape.policy.kind === 'task';
    if (set === undefined || !hasOutputs) return;
    const { number } = set;
    if (this.#seenBy[number] === node + 1) {
      this.#singles[this.#placeOf[number] ?? 0] = false;
      return;
    }
    this.#seenBy[number] = node + 1;
    this.#placeOf[number] = this.#classes.length;
    this.#classes.push(number);
    this.#singles.push(!isClass);
  }

  #lengthen(kind: number, classNumber: number, single: boolean): number {
    // Both numbers have at most 24 bits: together they are exact.
    const key = kind * 2 ** 26 + classNumber * 2 + (single ? 1 : 0);
    const known = this.#longer.get(key);
    if (known !== undefined) return known;
    const name = this.#tasks.classes[classNumber]?.name ?? '';
    const number = this.kinds.push([...(this.kinds[kind] ?? []), { class: name, single }]) - 1;
    this.#longer.set(key, number);
    return number;
  }
}
