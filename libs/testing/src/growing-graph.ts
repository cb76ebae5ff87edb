import type { FinalTaskState, On, RunIf } from '@runnel/core';
import fc from 'fast-check';
import { decideByStates } from './model.ts';

/** A task of a graph whose generators have graphs of their own. */
export interface GrowingNode {
  readonly runIf: RunIf;
  /** Places of parents in the same graph, before this one. */
  readonly parents: readonly { readonly at: number; readonly on: On }[];
  /** Where given: a place before the generator, in the graph that the generator is in. */
  readonly outer: number | null;
  readonly end: 'succeeded' | 'failed';
  /** Its first attempt fails, and is tried again. */
  readonly isRetried: boolean;
  /** It has another name in the set of each attempt. */
  readonly isFresh?: boolean;
  /** Default: 0, which is not written. */
  readonly version?: number;
  /** Null: no generator. */
  readonly set: readonly GrowingNode[] | null;
}

export type GrowingGraph = readonly GrowingNode[];

/** How large graphs get. */
export interface GrowingSize {
  readonly most: number;
  /** Of each set. */
  readonly mostOfSets: number;
  readonly hasRetries: boolean;
}

/** Graphs with generators in them, and in the sets of those; at least one. */
export function growingArbitrary(most: number): fc.Arbitrary<GrowingGraph> {
  return growingSets({ most, mostOfSets: Math.min(most, 3), hasRetries: true }, 0)
    .filter((nodes) => nodes.length > 0)
    .map((nodes) => (nodes.some(({ set }) => set !== null) ? nodes : withGenerator(nodes)));
}

/** A single task generates one. */
function withGenerator(nodes: GrowingGraph): GrowingGraph {
  return nodes.map((node, at) =>
    at === 0 ? { ...node, end: 'succeeded', set: [{ ...node, parents: [], outer: null }] } : node,
  );
}

const deepest = 2;

/** Graphs that stand so many generators deep, with `min` nodes or more. */
export function growingSets(size: GrowingSize, depth: number, min = 0): fc.Arbitrary<GrowingGraph> {
  return fc
    .integer({ min, max: depth === 0 ? size.most : size.mostOfSets })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_, at) => nodes(size, at, depth))),
    );
}

function nodes(size: GrowingSize, at: number, depth: number): fc.Arbitrary<GrowingNode> {
  const places =
    at === 0 ? fc.constant<number[]>([]) : fc.uniqueArray(fc.nat(at - 1), { maxLength: 3 });
  const set =
    depth === deepest
      ? fc.constant<GrowingGraph | null>(null)
      : fc.option(growingSets(size, depth + 1), { freq: 2 });
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
      end: fc.constantFrom('succeeded', 'succeeded', 'succeeded', 'failed'),
      isRetried: size.hasRetries ? fc.nat(4).map((number) => number === 4) : fc.constant(false),
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

/** Where a graph is: its names, and the one around it. */
export interface Level {
  readonly nodes: GrowingGraph;
  readonly scope: string;
  readonly depth: number;
  /** Of the generator that it is the set of. */
  readonly attempt: number;
  readonly around: { readonly level: Level; readonly generator: number } | null;
}

export function topLevel(nodes: GrowingGraph): Level {
  return { nodes, scope: '', depth: 0, attempt: 1, around: null };
}

const letters = 'abc';

export function nameOf(level: Level, at: number): string {
  const isFresh = level.nodes[at]?.isFresh === true;
  return `${letters[level.depth]}${at}${isFresh ? `x${level.attempt}` : ''}`;
}

/** The place of the outer parent, where the node has one that is no generator and stands before the generator. */
export function outerOf({ around }: Level, node: GrowingNode): number | null {
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
      ...(node.isRetried ? { retries: { limit: 1, backoff: '1ms' } } : {}),
      parents: [...parents, ...above],
      ...((node.version ?? 0) === 0 ? {} : { version: node.version }),
      ...(node.set === null ? {} : { generator: true }),
    };
  });
}

/** A task of the graph, wherever it is. */
export interface GrowingTask {
  readonly level: Level;
  readonly at: number;
  readonly node: GrowingNode;
}

type StateOf = (id: string) => FinalTaskState | undefined;

/** What is not told by the graph. */
export interface Circumstances {
  /** Ends that are none of the rules': those of tasks that somebody cancelled. */
  readonly given?: StateOf;
  /** Of each generator: the attempt whose set is in the run. */
  readonly attemptOf?: (id: string) => number;
}

/** What each task must come to, whatever order they run in. */
export class GrowingReference {
  /** Of every task that there will be. */
  readonly states = new Map<string, FinalTaskState>();
  readonly tasks = new Map<string, GrowingTask>();
  /** What generators generate, as a user would write it. */
  readonly sets = new Map<string, readonly object[]>();
  readonly #given: StateOf;
  readonly #attemptOf: (id: string) => number;

  constructor(graph: GrowingGraph, { given, attemptOf }: Circumstances = {}) {
    this.#given = given ?? (() => undefined);
    this.#attemptOf = attemptOf ?? (() => 1);
    this.#evaluate(topLevel(graph));
  }

  /** What a task ends as where it runs. */
  endOf(id: string): 'succeeded' | 'failed' | undefined {
    return this.tasks.get(id)?.node.end;
  }

  /** Whether what is known of states lets a task start. */
  mayStart(id: string, stateOf: StateOf): boolean {
    const task = this.tasks.get(id);
    if (task === undefined) return false;
    const { around } = task.level;
    if (around !== null) {
      const generator = `${around.level.scope}${nameOf(around.level, around.generator)}`;
      if (stateOf(generator) !== 'succeeded') return false;
    }
    return this.#decide(task.level, task.node, stateOf) === 'run';
  }

  #evaluate(level: Level): void {
    const known: StateOf = (id) => this.states.get(id);
    for (const [at, node] of level.nodes.entries()) {
      const id = `${level.scope}${nameOf(level, at)}`;
      const state = this.#decide(level, node, known);
      this.tasks.set(id, { level, at, node });
      this.states.set(id, this.#given(id) ?? (state === 'run' ? node.end : (state ?? 'skipped')));
      if (node.set === null || this.states.get(id) !== 'succeeded') continue;
      const inner = innerOf(level, at, node.set, this.#attemptOf(id));
      this.sets.set(id, entriesOf(inner));
      this.#evaluate(inner);
    }
  }

  /** Undefined while it is open. */
  #decide(level: Level, node: GrowingNode, stateOf: StateOf): 'run' | FinalTaskState | undefined {
    const isAny = node.runIf === 'any-succeeded' || node.runIf === 'any-failed';
    const known = { stateOf, isAny, attemptOf: this.#attemptOf };
    const parents: Parent[] = node.parents.flatMap(({ at, on }) =>
      endsOf(level, at, known).map((state) => ({ state, on })),
    );
    const outer = outerOf(level, node);
    if (outer !== null && level.around !== null) {
      const { level: around } = level.around;
      const state = stateOf(`${around.scope}${nameOf(around, outer)}`);
      parents.push({ state, on: 'succeeded' });
    }
    if (parents.length === 0) return 'run';
    const ended = parents.flatMap(({ state, on }) => (state === undefined ? [] : [{ state, on }]));
    const decision = ended.length === 0 ? undefined : decideByStates(node.runIf, ended);
    if (ended.length === parents.length) return decision;
    return isAny && decision === 'run' ? 'run' : undefined;
  }
}

interface Parent {
  readonly state: FinalTaskState | undefined;
  readonly on: On;
}

/**
 * What a task and everything that it generated have come to. For the first that ends so, the success of a
 * generator itself does not count, unless it generated nothing.
 */
function endsOf(
  level: Level,
  at: number,
  known: {
    readonly stateOf: StateOf;
    readonly isAny: boolean;
    readonly attemptOf: (id: string) => number;
  },
): readonly (FinalTaskState | undefined)[] {
  const set = level.nodes[at]?.set ?? null;
  const id = `${level.scope}${nameOf(level, at)}`;
  const own = known.stateOf(id);
  if (set === null || own !== 'succeeded') return [own];
  const inner = innerOf(level, at, set, known.attemptOf(id));
  const generated = set.flatMap((_, place) => endsOf(inner, place, known));
  return known.isAny && set.length > 0 ? generated : [own, ...generated];
}

/** What the node at a place has generated, or is to. */
export function innerOf(level: Level, at: number, nodes: GrowingGraph, attempt = 1): Level {
  const scope = `${level.scope}${nameOf(level, at)}.`;
  return { nodes, scope, depth: level.depth + 1, attempt, around: { level, generator: at } };
}

/** The set that an attempt of a generator gives, as a user would write it; its names are of the graph alone. */
export function setOf(graph: GrowingGraph, id: string, attempt: number): readonly object[] {
  let level = topLevel(graph);
  for (const at of placesIn(id)) level = innerOf(level, at, level.nodes[at]?.set ?? [], attempt);
  return entriesOf(level);
}

/** What an id stands for; undefined where the graph has no such task. */
export function nodeOf(graph: GrowingGraph, id: string): GrowingNode | undefined {
  let nodes: GrowingGraph = graph;
  let found: GrowingNode | undefined;
  for (const at of placesIn(id)) {
    found = nodes[at];
    nodes = found?.set ?? [];
  }
  return found;
}

/** From the outermost graph inwards. */
function placesIn(id: string): readonly number[] {
  return id.split('.').map((name) => Number(/^[a-c](\d+)/.exec(name)?.[1] ?? -1));
}

/** Every set has one task more, whose name tells which attempt generated it. */
export function withFreshTasks(graph: GrowingGraph, depth = 0): GrowingGraph {
  const own = graph.map((node) =>
    node.set === null ? node : { ...node, set: withFreshTasks(node.set, depth + 1) },
  );
  const isDone = depth === 0 || own.at(-1)?.isFresh === true;
  return isDone ? own : [...own, fresh];
}

const fresh: GrowingNode = {
  ...{ runIf: 'all-succeeded', parents: [], outer: null, end: 'succeeded' },
  ...{ isRetried: false, isFresh: true, set: null },
};
