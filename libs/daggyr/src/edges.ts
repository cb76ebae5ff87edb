import type { NameTable } from './name-table.ts';
import type { Ref } from './native-entry.ts';
import type { PlannedEntry } from './plan-entries.ts';

/** A line of a spec has at most a megabyte; with so many names of ordinary length one is still far below. */
const widest = 4_000;

/** The edges of an entry as it tells them itself. */
export interface OwnEdges {
  readonly parents: readonly Ref[];
  readonly children: readonly Ref[];
}

/**
 * Which entry tells which edge. That is the one that names it, but for an entry that names very many
 * others: those tell its edges from their side, so that its own text stays short.
 */
export class Edges {
  readonly #names: NameTable;
  readonly #extra = new Map<PlannedEntry, { parents: Ref[]; children: Ref[] }>();

  constructor(entries: readonly PlannedEntry[], names: NameTable) {
    this.#names = names;
    for (const entry of entries) this.#handOver(entry);
  }

  of(entry: PlannedEntry): OwnEdges {
    const { source } = entry;
    const extra = this.#extra.get(entry);
    const parents = this.#kept(entry, source.parents).map((name) => this.#names.parentRef(name));
    const children = this.#kept(entry, source.children).map((name) => this.#names.childRef(name));
    return {
      parents: extra === undefined ? parents : [...parents, ...extra.parents],
      children: extra === undefined ? children : [...children, ...extra.children],
    };
  }

  /** The names that an entry tells itself. */
  #kept(entry: PlannedEntry, names: readonly string[]): readonly string[] {
    if (!this.#isWide(entry, names)) return names;
    return names.filter((name) => this.#names.entryOf(name) === undefined);
  }

  #isWide({ source }: PlannedEntry, names: readonly string[]): boolean {
    return names.length > widest && this.#names.entryOf(source.name) !== undefined;
  }

  #handOver(entry: PlannedEntry): void {
    const { name, parents, children } = entry.source;
    if (this.#isWide(entry, parents)) {
      for (const parent of parents) this.#add(parent, 'children', this.#names.childRef(name));
    }
    if (this.#isWide(entry, children)) {
      for (const child of children) this.#add(child, 'parents', this.#names.parentRef(name));
    }
  }

  #add(name: string, side: 'parents' | 'children', ref: Ref): void {
    const entry = this.#names.entryOf(name);
    if (entry === undefined) return;
    const extra = this.#extra.get(entry) ?? { parents: [], children: [] };
    this.#extra.set(entry, extra);
    extra[side].push(ref);
  }
}
