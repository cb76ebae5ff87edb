import type { SingleTasks } from './single-tasks.ts';

/** The tasks of each class, ascending: a counting sort. */
export class ClassMembers {
  readonly #starts: Uint32Array;
  readonly #nodes: Uint32Array;

  constructor(tasks: SingleTasks) {
    this.#starts = new Uint32Array(tasks.classes.length + 1);
    for (const { number, taskCount } of tasks.classes) this.#starts[number + 1] = taskCount;
    for (let number = 0; number < tasks.classes.length; number++) {
      this.#starts[number + 1] = (this.#starts[number + 1] ?? 0) + (this.#starts[number] ?? 0);
    }
    const next = this.#starts.slice();
    this.#nodes = new Uint32Array(tasks.count);
    for (let node = 0; node < tasks.count; node++) {
      const { number } = tasks.shapeOf(node).class;
      const at = next[number] ?? 0;
      next[number] = at + 1;
      this.#nodes[at] = node;
    }
  }

  of(classNumber: number): Uint32Array {
    return this.#nodes.subarray(this.#starts[classNumber], this.#starts[classNumber + 1]);
  }
}
