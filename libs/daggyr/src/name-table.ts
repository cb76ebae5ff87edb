import type { Instances } from './instances.ts';
import { ClassNames, mostOwnClasses, toTaskId } from './names.ts';
import type { Ref } from './native-entry.ts';
import type { PlannedEntry } from './plan-entries.ts';

/** How tasks are named here, and how others refer to them. */
export interface NameTable {
  classOf(entry: PlannedEntry): string;
  /** The id of the task of an entry that is not expanded. */
  idOf(entry: PlannedEntry): string;
  /** What somebody waits for who names this as a parent. */
  parentRef(name: string): Ref;
  /** What waits where somebody names this as a child. */
  childRef(name: string): Ref;
  /** The entry behind a name, where that is one entry alone and can be told of its edges. */
  entryOf(name: string): PlannedEntry | undefined;
}

/** In a map names are ids. An expanded task is entered by its head and left by its tail. */
export class MapNames implements NameTable {
  readonly #entries: ReadonlyMap<string, PlannedEntry>;
  readonly #classes = new ClassNames();

  constructor(entries: readonly PlannedEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.source.name, entry]));
  }

  classOf({ source, count }: PlannedEntry): string {
    return this.#classes.of(source.name, count === 1 && this.#entries.size > mostOwnClasses);
  }

  idOf({ source }: PlannedEntry): string {
    return toTaskId(source.name);
  }

  parentRef(name: string): Ref {
    const isExpanded = (this.#entries.get(name)?.count ?? 1) > 1;
    return { id: isExpanded ? tailId(name) : toTaskId(name) };
  }

  childRef(name: string): Ref {
    return { id: toTaskId(name) };
  }

  entryOf(name: string): PlannedEntry | undefined {
    return this.#entries.get(name);
  }
}

export function tailId(name: string): string {
  return toTaskId(`${name}.tail`);
}

/** In a list names are classes: all tasks of one. */
export class ListNames implements NameTable {
  readonly #instances: Instances;
  readonly #alone: ReadonlyMap<string, PlannedEntry>;
  readonly #classes = new ClassNames();
  readonly #areMany: boolean;

  constructor(entries: readonly PlannedEntry[], instances: Instances) {
    this.#instances = instances;
    const alone = entries.filter(({ source }) => instances.isSingle(source.name));
    this.#alone = new Map(alone.map((entry) => [entry.source.name, entry]));
    this.#areMany = this.#alone.size > mostOwnClasses;
  }

  classOf({ source }: PlannedEntry): string {
    return this.#classes.of(source.name, this.#areMany && this.#alone.has(source.name));
  }

  idOf(entry: PlannedEntry): string {
    const { name } = entry.source;
    if (this.#instances.isAlone(entry)) return toTaskId(name);
    return toTaskId(`${name}.${this.#instances.firstOf(entry)}`);
  }

  parentRef(name: string): Ref {
    const alone = this.#alone.get(name);
    return alone === undefined ? this.#classes.of(name, false) : { id: this.idOf(alone) };
  }

  childRef(name: string): Ref {
    return this.parentRef(name);
  }

  entryOf(name: string): PlannedEntry | undefined {
    return this.#alone.get(name);
  }
}
