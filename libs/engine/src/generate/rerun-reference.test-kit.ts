import type { FinalTaskState } from '@runnel/core';
import {
  decideByStates,
  entriesOf,
  type GrowingGraph,
  type GrowingNode,
  type GrowingReference,
  innerOf,
  type Level,
  nameOf,
  outerOf,
  type ParentEnd,
} from '@runnel/testing';

/** How a graph stands in a run some of whose tasks are brought back. */
type Context =
  /** Its generator does not run again: what is brought back runs in its place. */
  | { readonly kind: 'kept' }
  /** Its generator has generated it anew, after another. */
  | { readonly kind: 'replaced'; readonly old: Level }
  /** Its generator had generated nothing before. */
  | { readonly kind: 'fresh' };

/** What must come of a run that has ended when some of its tasks are brought back, and sets are others by then. */
export class RerunReference {
  readonly states = new Map<string, FinalTaskState>();
  readonly sets = new Map<string, readonly object[]>();
  readonly ran = new Set<string>();
  /** Of the tasks that were generated anew those that must not run. */
  readonly reused = new Set<string>();
  readonly #ends = new Map<string, 'succeeded' | 'failed'>();
  readonly #before: GrowingReference;
  readonly #change: (set: GrowingGraph) => GrowingGraph;
  /** By id: whether what hangs on it is to be looked at anew. */
  readonly #anew = new Map<string, boolean>();
  /** The sets that there are in the end. */
  readonly #inner = new Map<string, Level>();

  constructor(before: GrowingReference, change: (set: GrowingGraph) => GrowingGraph) {
    this.#before = before;
    this.#change = change;
  }

  /** What a task ends as where it runs. */
  endOf(id: string): 'succeeded' | 'failed' | undefined {
    return this.#ends.get(id);
  }

  evaluate(level: Level, selected: ReadonlySet<number>): void {
    this.#walk(level, { kind: 'kept' }, selected);
  }

  /** True where something of the graph runs again. */
  #walk(level: Level, context: Context, selected: ReadonlySet<number> = new Set()): boolean {
    let isAnyAnew = false;
    for (const [at, node] of level.nodes.entries()) {
      const id = idOf(level, at);
      this.#ends.set(id, node.end);
      const isAnew =
        context.kind === 'kept'
          ? this.#keep(level, at, selected.has(at))
          : this.#generate(level, at, context);
      this.#anew.set(id, isAnew);
      isAnyAnew ||= isAnew;
    }
    return isAnyAnew;
  }

  #keep(level: Level, at: number, isSelected: boolean): boolean {
    const node = nodeAt(level, at);
    const id = idOf(level, at);
    const before = this.#before.states.get(id) ?? 'skipped';
    const hadSet = node.set !== null && before === 'succeeded';
    const old = node.set === null ? null : innerOf(level, at, node.set);
    if (!isSelected && !this.#hangsOnAnew(level, node)) {
      this.states.set(id, before);
      if (!hadSet || old === null) return false;
      this.#inner.set(id, old);
      return this.#walk(old, { kind: 'kept' });
    }
    this.#end(level, at);
    if (old === null) return true;
    if (this.states.get(id) !== 'succeeded') {
      if (hadSet) this.#freeze(old);
      return true;
    }
    const fresh = innerOf(level, at, this.#change(old.nodes));
    this.#join(id, fresh, hadSet ? { kind: 'replaced', old } : { kind: 'fresh' });
    return true;
  }

  #generate(level: Level, at: number, context: Exclude<Context, { kind: 'kept' }>): boolean {
    const node = nodeAt(level, at);
    const id = idOf(level, at);
    const fate = context.kind === 'fresh' ? 'runs' : this.#fateOf(level, at, context.old);
    if (fate === 'reused') {
      this.reused.add(id);
      this.states.set(id, 'succeeded');
      return false;
    }
    this.#end(level, at);
    if (node.set !== null && this.states.get(id) === 'succeeded') {
      this.#join(id, innerOf(level, at, this.#change(node.set)), { kind: 'fresh' });
    }
    return fate === 'runs';
  }

  #fateOf(level: Level, at: number, old: Level): 'reused' | 'skipped' | 'runs' {
    const node = nodeAt(level, at);
    const was = old.nodes[at];
    const isSame = was !== undefined && factsOf(level, node) === factsOf(old, was);
    if (!isSame || this.#hangsOnAnew(level, node)) return 'runs';
    const before = this.#before.states.get(idOf(level, at));
    if (before === 'skipped') return 'skipped';
    return before === 'succeeded' && node.set === null ? 'reused' : 'runs';
  }

  #join(id: string, level: Level, context: Context): void {
    this.#inner.set(id, level);
    this.sets.set(id, entriesOf(level));
    this.#walk(level, context);
  }

  /** A set whose generator has not succeeded again stays; successes that something runs again before do not. */
  #freeze(level: Level): void {
    for (const [at, node] of level.nodes.entries()) {
      const id = idOf(level, at);
      const before = this.#before.states.get(id) ?? 'skipped';
      const isAnew = this.#hangsOnAnew(level, node);
      this.#anew.set(id, isAnew);
      this.states.set(id, isAnew && before === 'succeeded' ? 'upstream-failed' : before);
      if (node.set !== null && before === 'succeeded') this.#freeze(innerOf(level, at, node.set));
    }
  }

  #hangsOnAnew(level: Level, node: GrowingNode): boolean {
    if (node.parents.some((parent) => this.#anew.get(idOf(level, parent.at)))) return true;
    const outer = outerOf(level, node);
    return outer !== null && level.around !== null
      ? (this.#anew.get(idOf(level.around.level, outer)) ?? false)
      : false;
  }

  #end(level: Level, at: number): void {
    const node = nodeAt(level, at);
    const id = idOf(level, at);
    const state = this.#decide(level, node);
    if (state === 'run') this.ran.add(id);
    this.states.set(id, state === 'run' ? node.end : state);
  }

  #decide(level: Level, node: GrowingNode): 'run' | FinalTaskState {
    const isAny = node.runIf === 'any-succeeded' || node.runIf === 'any-failed';
    const parents: ParentEnd[] = node.parents.flatMap(({ at, on }) =>
      this.#gather(level, at, isAny).map((state) => ({ state, on })),
    );
    const outer = outerOf(level, node);
    if (outer !== null && level.around !== null) {
      const state = this.states.get(idOf(level.around.level, outer)) ?? 'skipped';
      parents.push({ state, on: 'succeeded' });
    }
    return parents.length === 0 ? 'run' : decideByStates(node.runIf, parents);
  }

  /** A task and everything that it generated; its own success does not count for the rule any. */
  #gather(level: Level, at: number, isAny: boolean): readonly FinalTaskState[] {
    const id = idOf(level, at);
    const own = this.states.get(id) ?? 'skipped';
    const inner = own === 'succeeded' ? this.#inner.get(id) : undefined;
    if (inner === undefined) return [own];
    const set = inner.nodes.flatMap((_, place) => this.#gather(inner, place, isAny));
    return isAny && set.length > 0 ? set : [own, ...set];
  }
}

function idOf(level: Level, at: number): string {
  return `${level.scope}${nameOf(level, at)}`;
}

function nodeAt(level: Level, at: number): GrowingNode {
  const node = level.nodes[at];
  if (node === undefined) throw new Error(`there is no node ${at}`);
  return node;
}

/** What makes a task another one. */
function factsOf(level: Level, node: GrowingNode): string {
  const { version = 0, runIf, parents } = node;
  const outer = outerOf(level, node);
  // The rule is about parents.
  const rule = parents.length === 0 && outer === null ? null : runIf;
  return JSON.stringify([version, rule, parents, outer, node.set !== null]);
}
