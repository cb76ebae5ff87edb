import type { LiveSet, OldRevision } from './live-sets.ts';
import type { Matching } from './match-nodes.ts';
import type { NodeFacts } from './node-facts.ts';

/** Which generated sets go on in a new revision. */
export interface ChosenSets {
  readonly sets: readonly LiveSet[];
  /** By old number. */
  readonly isCarried: Uint8Array;
  /** Generators that go on without what they generated: they have to generate anew. */
  readonly bereft: readonly number[];
}

/**
 * A set goes on with its generator where all go on that it waits for. Tasks that generate more than before do
 * not: what generated tasks wait for may be no generator. Whether the generator itself runs again, so that its
 * set goes after all, is seen when fates are told.
 */
export function chooseSets(
  { facts, sets }: OldRevision,
  fresh: NodeFacts,
  { matching, unwanted }: { readonly matching: Matching; readonly unwanted: ReadonlySet<LiveSet> },
): ChosenSets {
  const isChosen = sets.all.map(() => false);
  const isCarried = new Uint8Array(facts.nodeCount);
  const bereft: number[] = [];
  const goesOn = (node: number): boolean => {
    const set = sets.setOf[node] ?? 0;
    return set === 0 ? matching.freshOf[node] !== 0 : isChosen[set - 1] === true;
  };
  const isGenerator = (node: number): boolean => {
    const group = fresh.groupOf[(matching.freshOf[node] ?? 0) - 1];
    return group !== undefined && fresh.groups[group]?.generator !== undefined;
  };
  for (const [index, set] of sets.all.entries()) {
    if (!goesOn(set.generator)) continue;
    const around = listAround(sets, set);
    const isWhole = set.outer.every((parent) => {
      const its = sets.setOf[parent] ?? 0;
      return its === 0 ? goesOn(parent) && !isGenerator(parent) : around.has(its);
    });
    // Its generator runs again: nothing behind that waits for the old set any more.
    const isAlone = set.record.ends.some((end) => !sets.gathers.has(end));
    if (!isWhole || isAlone || unwanted.has(set)) {
      bereft.push(set.generator);
      continue;
    }
    isChosen[index] = true;
    for (const [from, to] of set.spans) isCarried.fill(1, from, to);
  }
  return { sets: sets.all.filter((_, index) => isChosen[index]), isCarried, bereft };
}

/** Places, and one more, of the sets that a set is in: with any of them it goes as well. */
function listAround({ all, setOf }: OldRevision['sets'], set: LiveSet): ReadonlySet<number> {
  const around = new Set<number>();
  for (let outer: LiveSet | undefined = set; outer !== undefined; ) {
    const place: number = setOf[outer.generator] ?? 0;
    around.add(place);
    outer = all[place - 1];
  }
  return around;
}
