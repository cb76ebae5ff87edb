import type { Path } from './issue-list.ts';
import { type Part, TemplateError } from './template-parse.ts';

/** Names that a task knows without parameters. */
export const runFields = ['id', 'name', 'source'] as const;
export const taskFields = ['id', 'attempt'] as const;

/** What a template reads from one parent class. */
export interface OutputUse {
  readonly class: string;
  /** As written, such as `outputs.pull.file`. */
  readonly name: string;
  /** True where it reads a field, `{{outputs.pull.file}}`: only one object has fields. */
  readonly readsField: boolean;
}

/** What a template asks for. */
export interface TemplateNames {
  readonly axes: ReadonlySet<string>;
  readonly run: ReadonlySet<string>;
  readonly task: ReadonlySet<string>;
  readonly outputs: readonly OutputUse[];
  /** The first leaf that uses a name, such as `CITY` or `outputs.pull.file`. */
  readonly places: ReadonlyMap<string, Path>;
}

export const noNames: TemplateNames = {
  axes: new Set(),
  run: new Set(),
  task: new Set(),
  outputs: [],
  places: new Map(),
};

/** Collects the names of many leaves. */
export class NameCollector implements TemplateNames {
  readonly axes = new Set<string>();
  readonly run = new Set<string>();
  readonly task = new Set<string>();
  readonly outputs: OutputUse[] = [];
  readonly places = new Map<string, Path>();

  /** Adds the names of the leaf at `path`; true where it depends on the output of a parent. */
  collect(parts: readonly Part[], path: Path): boolean {
    let readsOutputs = false;
    for (const part of parts) {
      if (part.kind === 'text') continue;
      if (!this.places.has(part.name)) this.places.set(part.name, [...path]);
      const isOutput =
        part.kind === 'value' ? this.#addName(part.name, part.keys) : this.#addSection(part, path);
      readsOutputs ||= isOutput;
    }
    return readsOutputs;
  }

  #addSection(part: Extract<Part, { kind: 'section' }>, path: Path): boolean {
    if (part.keys[0] !== 'outputs') {
      throw new TemplateError(
        `{{${part.isInverted ? '^' : '#'}${part.name}}}: a section is for outputs, such as {{#outputs.pull}}…{{/outputs.pull}}`,
      );
    }
    this.#addName(part.name, part.keys);
    // Names in a section belong to the output; in an inverted one there is no output to look into.
    if (part.isInverted) this.collect(part.parts, path);
    return true;
  }

  #addName(name: string, keys: readonly string[]): boolean {
    const [first, second] = keys;
    if (first === 'outputs') {
      if (second === undefined) {
        throw new TemplateError(`{{${name}}}: name a parent class, such as {{outputs.pull}}`);
      }
      const readsField = keys.length > 2;
      this.outputs.push({ class: second, name, readsField });
      return true;
    }
    if (first === 'run') addField(this.run, name, keys, runFields);
    else if (first === 'task') addField(this.task, name, keys, taskFields);
    else this.axes.add(name);
    return false;
  }
}

function addField(
  used: Set<string>,
  name: string,
  keys: readonly string[],
  known: readonly string[],
): void {
  const field = keys[1];
  if (keys.length !== 2 || field === undefined || !known.includes(field)) {
    const all = known.map((each) => `{{${keys[0]}.${each}}}`);
    throw new TemplateError(`{{${name}}} is not known; known are ${all.join(', ')}`);
  }
  used.add(field);
}
