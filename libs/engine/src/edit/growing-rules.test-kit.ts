import type { FinalTaskState } from '@runnel/core';
import { decideByStates } from '@runnel/testing';
import { type GrowNode, instancesOf } from './growing-graph.test-kit.ts';

/** What was generated so far, by the id of its generator. */
export type Live = ReadonlyMap<string, readonly GrowNode[]>;

/** A graph, and where it is. */
interface Level {
  readonly nodes: readonly GrowNode[];
  readonly scope: string;
  readonly around: Level | null;
}

/** Goes through all tasks, parents first, and what they generated right after them. */
function walk(
  live: Live,
  level: Level,
  visit: (id: string, node: GrowNode, level: Level) => void,
): void {
  for (const node of level.nodes) {
    for (const instance of instancesOf(node)) {
      const id = level.scope + instance;
      visit(id, node, level);
      const nodes = live.get(id);
      if (nodes !== undefined) walk(live, { nodes, scope: `${id}.`, around: level }, visit);
    }
  }
}

function idsOf({ nodes, scope }: Level, name: string): readonly string[] {
  const node = nodes.find((one) => one.name === name);
  return node === undefined ? [] : instancesOf(node).map((instance) => scope + instance);
}

function outerIds({ around }: Level, { outer }: GrowNode): readonly string[] {
  return around === null || outer === null ? [] : idsOf(around, outer);
}

/** A task and all that it generated, and so on. */
function withGenerated(live: Live, id: string): readonly string[] {
  const nodes = live.get(id);
  if (nodes === undefined) return [id];
  const inner = nodes.flatMap((node) => instancesOf(node).map((instance) => `${id}.${instance}`));
  return [id, ...inner.flatMap((one) => withGenerated(live, one))];
}

/** The same without generators that generated something: their own success is not what the first one is about. */
function leavesOf(live: Live, id: string): readonly string[] {
  const nodes = live.get(id) ?? [];
  if (nodes.length === 0) return [id];
  const inner = nodes.flatMap((node) => instancesOf(node).map((instance) => `${id}.${instance}`));
  return inner.flatMap((one) => leavesOf(live, one));
}

/** What every task comes to; `fixed` ones have ended before. */
export function statesOf(
  nodes: readonly GrowNode[],
  live: Live,
  known: {
    readonly fixed: ReadonlyMap<string, FinalTaskState>;
    endOf(id: string): 'succeeded' | 'failed';
  },
): ReadonlyMap<string, FinalTaskState> {
  const states = new Map<string, FinalTaskState>();
  const stateOf = (id: string): FinalTaskState => states.get(id) ?? 'skipped';
  walk(live, { nodes, scope: '', around: null }, (id, node, level) => {
    const isAny = node.runIf === 'any-succeeded' || node.runIf === 'any-failed';
    const parents = node.parents.flatMap(({ name, on }) =>
      idsOf(level, name)
        .flatMap((parent) =>
          isAny ? leavesIfEnded(live, parent, stateOf) : withGenerated(live, parent),
        )
        .map((parent) => ({ state: stateOf(parent), on })),
    );
    for (const parent of outerIds(level, node)) {
      parents.push({ state: stateOf(parent), on: 'succeeded' });
    }
    const decided = parents.length === 0 ? 'run' : decideByStates(node.runIf, parents);
    states.set(id, known.fixed.get(id) ?? (decided === 'run' ? known.endOf(id) : decided));
  });
  return states;
}

/** A generator that failed stands for itself, whatever an attempt before it generated. */
function leavesIfEnded(
  live: Live,
  id: string,
  stateOf: (id: string) => FinalTaskState,
): readonly string[] {
  return stateOf(id) === 'succeeded' ? leavesOf(live, id) : [id, ...leavesOf(live, id)];
}

export type ExpectedFate = 'reused' | 'kept' | 'rerun' | 'new' | 'removed';

/** What an edit must do with each task, by the rules as they are written in the docs. */
export function fatesOf(
  before: {
    readonly nodes: readonly GrowNode[];
    readonly live: Live;
    readonly states: Readonly<Record<string, string>>;
  },
  nodes: readonly GrowNode[],
): { readonly fates: ReadonlyMap<string, ExpectedFate>; readonly live: Live } {
  const fates = new Map<string, ExpectedFate>(
    Object.keys(before.states).map((id) => [id, 'removed']),
  );
  const old = new Map(before.nodes.flatMap((node) => instancesOf(node).map((id) => [id, node])));
  const plain = new Set(nodes.flatMap((node) => (node.set === null ? instancesOf(node) : [])));
  const live = new Map<string, readonly GrowNode[]>();
  const isAnew = (id: string): boolean =>
    withGenerated(live, id).some((one) => ['rerun', 'new'].includes(fates.get(one) ?? ''));
  const visit = (id: string, node: GrowNode, level: Level): void => {
    const isOfSpec = level.around === null;
    const was = old.get(id);
    const isSame =
      !isOfSpec || (was !== undefined && contentOf(before.nodes, was) === contentOf(nodes, node));
    const parents = [
      ...node.parents.flatMap(({ name }) => idsOf(level, name)),
      ...outerIds(level, node),
    ];
    const set = before.live.get(id);
    const isBereft =
      isOfSpec &&
      (set ?? []).some((one) => {
        if (one.outer === null) return false;
        const outer = before.nodes.find(({ name }) => name === one.outer);
        return outer === undefined || !instancesOf(outer).every((parent) => plain.has(parent));
      });
    const isAgain = !isSame || isBereft || parents.some(isAnew);
    const fate =
      isOfSpec && was === undefined
        ? 'new'
        : isAgain
          ? 'rerun'
          : fateOfState(before.states[id] ?? '');
    fates.set(id, fate);
    if (set === undefined || fate === 'rerun' || fate === 'new') return;
    live.set(id, set);
  };
  walk(live, { nodes, scope: '', around: null }, visit);
  return { fates, live };
}

function fateOfState(state: string): ExpectedFate {
  if (state === 'succeeded' || state === 'skipped') return 'reused';
  return ['failed', 'upstream-failed', 'cancelled'].includes(state) ? 'rerun' : 'kept';
}

function contentOf(nodes: readonly GrowNode[], node: GrowNode): string {
  const level = { nodes, scope: '', around: null };
  const parents = node.parents.flatMap(({ name, on }) =>
    idsOf(level, name).map((id) => `${id} ${on}`),
  );
  const rule = parents.length === 0 ? '' : node.runIf;
  return JSON.stringify([node.details, node.set !== null, rule, parents.sort()]);
}

/** One in six fails; another round, others. */
export function endOf(id: string, round: number): 'succeeded' | 'failed' {
  let hash = round * 7_919;
  for (const letter of id) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
  return hash % 6 === 0 ? 'failed' : 'succeeded';
}

/** A task's class, and the classes around it. */
export function findNode(
  nodes: readonly GrowNode[],
  id: string,
  live: Live,
): { readonly node: GrowNode; readonly around: readonly GrowNode[] } {
  const dot = id.lastIndexOf('.');
  const around = dot === -1 ? nodes : (live.get(id.slice(0, dot)) ?? []);
  const node = around.find((one) => instancesOf(one).includes(id.slice(dot + 1)));
  if (node === undefined) throw new Error(`there is no ${id}`);
  return { node, around };
}

export function countExpected(fates: ReadonlyMap<string, ExpectedFate>): object {
  const counts = { reused: 0, kept: 0, rerun: 0, new: 0, removed: 0 };
  for (const fate of fates.values()) counts[fate]++;
  return counts;
}
