import type { Entry } from './entry.ts';
import type { Shape, SingleTasks } from './single-tasks.ts';
import type { TemplateNames } from './template-names.ts';

/** Interns shapes: a million tasks have few. */
export class ShapeTable {
  readonly #tasks: SingleTasks;
  readonly #shapes = new Map<string, Shape>();
  readonly #numbers = new Map<unknown, number>();

  constructor(tasks: SingleTasks) {
    this.#tasks = tasks;
  }

  shapeOf(entry: Entry): Shape {
    const names = entry.template?.names ?? null;
    const reads = names === null || names.outputs.length === 0 ? null : names;
    const policy = this.#numberOf(entry.policy);
    const flags = `${reads === null ? '' : 'o'}${entry.details === null ? 'n' : ''}`;
    const kin = `${entry.class}|${policy}|${flags}`;
    const key = `${kin}|${entry.runIf}|${reads === null ? '' : describeReads(reads)}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const { shapes } = this.#tasks;
    const shape: Shape = {
      class: this.#tasks.classOf(entry.class),
      policy: entry.policy,
      runIf: entry.runIf,
      reads,
      kin: this.#numberOf(kin),
      number: shapes.length,
    };
    shapes.push(shape);
    this.#shapes.set(key, shape);
    return shape;
  }

  #numberOf(key: unknown): number {
    const number = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, number);
    return number;
  }
}

function describeReads(names: TemplateNames): string {
  const { outputs, places } = names;
  return JSON.stringify(outputs.map((use) => [use, places.get(use.name)]));
}
