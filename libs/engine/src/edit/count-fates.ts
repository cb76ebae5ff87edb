import { type Fate, type RerunReason, readFate } from './fates.ts';
import { nodeKinds } from './node-facts.ts';
import type { Comparison } from './prepare-edit.ts';

export type FateCounts = Readonly<Record<Fate, number>>;

/** What an edit does with the tasks of a class. */
export interface ClassFates extends FateCounts {
  readonly class: string;
  /** Of those that run again: why. Reasons without a task are left out. */
  readonly reasons: Readonly<Partial<Record<RerunReason, number>>>;
}

export interface EditCounts extends FateCounts {
  /** In the order of the new spec; then those that it has no more. */
  readonly classes: readonly ClassFates[];
}

/** Counts fates, in all and by class. */
export function countFates(edit: Comparison, fates: Uint8Array): EditCounts {
  const tallies = new Map<string, Tally>();
  const tallyOf = (name: string): Tally => {
    const tally = tallies.get(name) ?? new Tally(name);
    tallies.set(name, tally);
    return tally;
  };
  // Classes of the new spec come first, in its order.
  for (const { kind, class: name } of edit.plan.groups) if (kind === 'task') tallyOf(name);
  const { groups, groupOf, kinds, nodeCount } = edit.structure;
  for (let number = 0; number < nodeCount; number++) {
    const found = kinds[number] === nodeKinds.task ? readFate(fates[number] ?? 0) : null;
    if (found === null) continue;
    tallyOf(groups[groupOf[number] ?? 0]?.class ?? '').add(found.fate, found.reason);
  }
  for (const number of listRemoved(edit)) {
    tallyOf(edit.old.groups[edit.old.groupOf[number] ?? 0]?.class ?? '').add('removed', null);
  }
  const classes = [...tallies.values()].map((tally) => tally.toClass());
  const sum = (fate: Fate): number => classes.reduce((all, one) => all + one[fate], 0);
  const [reused, kept, rerun] = [sum('reused'), sum('kept'), sum('rerun')];
  return { reused, kept, rerun, new: sum('new'), removed: sum('removed'), classes };
}

/** Tasks of the old revision that the new one has no more, ascending. */
export function* listRemoved({ old, numbering }: Comparison): Generator<number> {
  for (let number = 0; number < old.nodeCount; number++) {
    if (old.kinds[number] === nodeKinds.task && numbering.isMatched[number] === 0) yield number;
  }
}

class Tally {
  readonly counts = { reused: 0, kept: 0, rerun: 0, new: 0, removed: 0 };
  readonly #class: string;
  readonly #reasons: Partial<Record<RerunReason, number>> = {};

  constructor(name: string) {
    this.#class = name;
  }

  add(fate: Fate, reason: RerunReason | null): void {
    this.counts[fate]++;
    if (reason !== null) this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
  }

  toClass(): ClassFates {
    return { class: this.#class, ...this.counts, reasons: this.#reasons };
  }
}
