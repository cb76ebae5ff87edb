import type { FinalTaskState, On, RunIf } from '@runnel/core';
// biome-ignore lint/correctness/noUndeclaredDependencies: a part of tests, whose packages are those of the root
import fc from 'fast-check';

/** A task of a graph whose generators have graphs of their own. */
export interface Node {
  readonly runIf: RunIf;
  /** Places of parents in the same graph, before this one. */
  readonly parents: readonly { readonly at: number; readonly on: On }[];
  /** Where given: a place before the generator in the graph that it is in. */
  readonly outer: number | null;
  readonly end: 'succeeded' | 'failed';
  readonly version: number;
  /** Null: no generator. */
  readonly set: readonly Node[] | null;
}

const ends = fc.constantFrom('succeeded', 'succeeded', 'succeeded', 'failed');

export function graphArbitrary(
  depth: number,
  min = depth === 0 ? 1 : 0,
): fc.Arbitrary<readonly Node[]> {
  return fc
    .integer({ min, max: depth === 0 ? 6 : 4 })
    .chain((size) =>
      fc.tuple(...Array.from({ length: size }, (_, at) => nodeArbitrary(at, depth))),
    );
}

function nodeArbitrary(at: number, depth: number): fc.Arbitrary<Node> {
  const places =
    at === 0 ? fc.constant<number[]>([]) : fc.uniqueArray(fc.nat(at - 1), { maxLength: 3 });
  const set =
    depth === 2
      ? fc.constant<readonly Node[] | null>(null)
      : fc.option(graphArbitrary(depth + 1), { freq: 2 });
  return fc
    .record({
      places,
      runIf: fc.constantFrom<RunIf>(
        ...(['all-succeeded', 'all-succeeded', 'none-failed'] as const),
        ...(['any-succeeded', 'any-failed', 'all-done'] as const),
      ),
      ons: fc.array(fc.constantFrom<On>('succeeded', 'failed', 'done'), {
        minLength: 3,
        maxLength: 3,
      }),
      outer: fc.option(fc.nat(5), { freq: 2 }),
      end: ends,
      version: fc.constant(0),
      set,
    })
    .map(({ places: parents, ons, runIf, ...rest }) => ({
      ...rest,
      runIf,
      parents: parents.map((place, index) => ({
        at: place,
        on: runIf === 'all-succeeded' ? (ons[index] ?? 'succeeded') : ('succeeded' as const),
      })),
    }));
}

const letters = 'abc';

/** Where a graph is: its names, and the one around it. */
export interface Level {
  readonly nodes: readonly Node[];
  readonly scope: string;
  readonly depth: number;
  readonly around: { readonly level: Level; readonly generator: number } | null;
}

export function nameOf(level: Level, at: number): string {
  return `${letters[level.depth]}${at}`;
}

/** The place of the outer parent, where the node has one that is no generator and stands before the generator. */
export function outerOf({ around }: Level, node: Node): number | null {
  if (around === null || node.outer === null || node.outer >= around.generator) return null;
  return around.level.nodes[node.outer]?.set === null ? node.outer : null;
}

/** As a user would write it. */
export function entriesOf(level: Level): readonly object[] {
  return level.nodes.map((node, at) => {
    const outer = outerOf(level, node);
    const parents = node.parents.map((parent) => {
      const id = nameOf(level, parent.at);
      return node.runIf === 'all-succeeded' ? { class: id, on: parent.on } : id;
    });
    const above =
      outer === null || level.around === null ? [] : [nameOf(level.around.level, outer)];
    return {
      ...{ class: nameOf(level, at), executor: 'noop', runIf: node.runIf },
      parents: [...parents, ...above],
      ...(node.version === 0 ? {} : { version: node.version }),
      ...(node.set === null ? {} : { generator: true }),
    };
  });
}

/** What each task must come to, and what it is to end as when it runs. */
export class Reference {
  readonly states = new Map<string, FinalTaskState>();
  readonly sets = new Map<string, readonly object[]>();
  readonly ends = new Map<string, 'succeeded' | 'failed'>();

  /** Evaluates a graph whose generator has succeeded; returns all tasks that were generated, without it. */
  evaluate(level: Level): void {
    for (const [at, node] of level.nodes.entries()) {
      const id = `${level.scope}${nameOf(level, at)}`;
      const state = this.#decide(level, node);
      this.ends.set(id, node.end);
      this.states.set(id, state === 'run' ? node.end : state);
      if (node.set === null || this.states.get(id) !== 'succeeded') continue;
      const inner = innerOf(level, at, node.set);
      this.sets.set(id, entriesOf(inner));
      this.evaluate(inner);
    }
  }

  #decide(level: Level, node: Node): 'run' | FinalTaskState {
    const isAny = node.runIf === 'any-succeeded' || node.runIf === 'any-failed';
    const parents = node.parents.flatMap(({ at, on }) =>
      (isAny ? this.#leaves(level, at) : this.#all(level, at)).map((state) => ({ state, on })),
    );
    const outer = outerOf(level, node);
    if (outer !== null && level.around !== null) {
      const state = this.states.get(
        `${level.around.level.scope}${nameOf(level.around.level, outer)}`,
      );
      parents.push({ state: state ?? 'skipped', on: 'succeeded' });
    }
    return parents.length === 0 ? 'run' : decide(node.runIf, parents);
  }

  /** A task, and everything that it generated. */
  #all(level: Level, at: number): readonly FinalTaskState[] {
    const node = level.nodes[at];
    const own = this.#stateOf(level, at);
    if (node?.set == null || own !== 'succeeded') return [own];
    const inner = innerOf(level, at, node.set);
    return [own, ...node.set.flatMap((_, place) => this.#all(inner, place))];
  }

  /** The success of a generator is not what the first success is about, unless it generated nothing. */
  #leaves(level: Level, at: number): readonly FinalTaskState[] {
    const node = level.nodes[at];
    const own = this.#stateOf(level, at);
    if (node?.set == null || own !== 'succeeded' || node.set.length === 0) return [own];
    const inner = innerOf(level, at, node.set);
    return node.set.flatMap((_, place) => this.#leaves(inner, place));
  }

  #stateOf(level: Level, at: number): FinalTaskState {
    return this.states.get(`${level.scope}${nameOf(level, at)}`) ?? 'skipped';
  }
}

export function innerOf(level: Level, at: number, nodes: readonly Node[]): Level {
  const scope = `${level.scope}${nameOf(level, at)}.`;
  return { nodes, scope, depth: level.depth + 1, around: { level, generator: at } };
}

export type Parent = { readonly state: FinalTaskState; readonly on: On };

/** The table of `runIf`. */
export function decide(runIf: RunIf, parents: readonly Parent[]): 'run' | FinalTaskState {
  const failed = (state: FinalTaskState): boolean =>
    state === 'failed' || state === 'upstream-failed';
  switch (runIf) {
    case 'all-done':
      return 'run';
    case 'any-succeeded':
      return parents.some(({ state }) => state === 'succeeded') ? 'run' : 'skipped';
    case 'any-failed':
      return parents.some(({ state }) => failed(state)) ? 'run' : 'skipped';
    case 'none-failed':
      if (parents.some(({ state }) => failed(state))) return 'upstream-failed';
      return parents.some(({ state }) => state === 'succeeded') ? 'run' : 'skipped';
    default: {
      const unmet = parents.filter(({ state, on }) => {
        if (on === 'done') return false;
        return on === 'succeeded' ? state !== 'succeeded' : !failed(state);
      });
      if (unmet.length === 0) return 'run';
      return unmet.some(({ state }) => failed(state)) ? 'upstream-failed' : 'skipped';
    }
  }
}
