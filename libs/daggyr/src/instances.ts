import type { Notes } from './notes.ts';
import type { PlannedEntry } from './plan-entries.ts';

/** Tasks of one class of a list. */
interface Tally {
  tasks: number;
  next: number;
  /** Instances that were given, with the place of each. */
  readonly given: Map<number, PlannedEntry>;
}

/**
 * Numbers the tasks of each class of a list from 0, in their order. An instance that was given stays;
 * the others of its class are counted on from the highest of those.
 */
export class Instances {
  readonly #classes = new Map<string, Tally>();
  readonly #first = new Map<PlannedEntry, number>();

  constructor(entries: readonly PlannedEntry[], notes: Notes) {
    for (const entry of entries) this.#count(entry, notes);
    for (const entry of entries) this.#number(entry);
  }

  /** True where no other task has this class: then the class is its name. */
  isAlone({ source }: PlannedEntry): boolean {
    const tally = this.#classes.get(source.name);
    return tally?.tasks === 1 && tally.given.size === 0;
  }

  /** True for a class of exactly one task, however it is named. */
  isSingle(name: string): boolean {
    return this.#classes.get(name)?.tasks === 1;
  }

  /** The instance of the first task of an entry. */
  firstOf(entry: PlannedEntry): number {
    return this.#first.get(entry) ?? 0;
  }

  #count(entry: PlannedEntry, notes: Notes): void {
    const { name, path } = entry.source;
    const tally = this.#classes.get(name) ?? { tasks: 0, next: 0, given: new Map() };
    this.#classes.set(name, tally);
    tally.tasks += entry.count;
    const instance = givenInstance(entry);
    if (instance === null) return;
    const other = tally.given.get(instance);
    if (other !== undefined) {
      notes.refuse(
        [...path, 'instance'],
        `${JSON.stringify(name)} has an instance ${instance} already, tasks[${other.source.path[1]}]: give another number, or none`,
      );
    }
    tally.given.set(instance, entry);
    tally.next = Math.max(tally.next, instance + 1);
  }

  #number(entry: PlannedEntry): void {
    const tally = this.#classes.get(entry.source.name);
    if (tally === undefined) return;
    const instance = givenInstance(entry);
    this.#first.set(entry, instance ?? tally.next);
    if (instance === null) tally.next += entry.count;
  }
}

/** DaggyR numbered the tasks of an expanded entry itself. */
function givenInstance({ source, keys }: PlannedEntry): number | null {
  return keys.length > 0 ? null : source.instance;
}
