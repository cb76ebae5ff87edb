import type { FinalTaskState, On, RunIf } from '@runnel/core';
import type { Graph, GraphNode } from './random-graph.ts';

/** What a run of a graph must come to, by the table of `runIf`, computed node by node in order. */
export function finalStates(graph: Graph): readonly FinalTaskState[] {
  const states: FinalTaskState[] = [];
  for (const node of graph) {
    const decision = decide(node, states);
    states.push(decision === 'run' ? ownEnd(node) : decision);
  }
  return states;
}

/** The state of the whole run: failed if any task failed whose failure is not allowed. */
export function finalRunState(graph: Graph): 'succeeded' | 'failed' {
  const states = finalStates(graph);
  const isFailed = graph.some(
    (node, id) => states[id] === 'failed' && !node.allowFailure && !node.isBarrier,
  );
  return isFailed ? 'failed' : 'succeeded';
}

function ownEnd(node: GraphNode): 'succeeded' | 'failed' {
  if (node.isBarrier) return 'succeeded';
  return attemptEnds(node).at(-1) ?? 'succeeded';
}

/** The ends of the attempts that a task makes when it runs. */
export function attemptEnds(node: GraphNode): readonly ('succeeded' | 'failed')[] {
  const ends: ('succeeded' | 'failed')[] = [];
  for (let attempt = 0; attempt <= node.retries; attempt++) {
    const end = node.attempts[Math.min(attempt, node.attempts.length - 1)] ?? 'succeeded';
    ends.push(end);
    if (end === 'succeeded') break;
  }
  return ends;
}

/**
 * What becomes of a node, as far as its parents have ended; undefined while that is open.
 */
export function decideBy(
  node: GraphNode,
  states: readonly (FinalTaskState | undefined)[],
): 'run' | FinalTaskState | undefined {
  const { runIf, parents } = node;
  const isAny = runIf === 'any-succeeded' || runIf === 'any-failed';
  const isDone = parents.every(({ id }) => states[id] !== undefined);
  const known = states.map((state) => state ?? 'skipped');
  if (isDone) return decide(node, known);
  return isAny && decide(node, known) === 'run' ? 'run' : undefined;
}

function decide(node: GraphNode, states: readonly FinalTaskState[]): 'run' | FinalTaskState {
  if (node.parents.length === 0) return 'run';
  const parents = node.parents.map(({ id, on }) => ({ state: states[id] ?? 'skipped', on }));
  return decideByStates(node.runIf, parents);
}

/** What a parent has come to, and what its child wants of it. */
export interface ParentEnd {
  readonly state: FinalTaskState;
  readonly on: On;
}

/** The table of `runIf`, for a task with these parents. */
export function decideByStates(
  runIf: RunIf,
  parents: readonly ParentEnd[],
): 'run' | FinalTaskState {
  switch (runIf) {
    case 'all-done':
      return 'run';
    case 'any-succeeded':
    case 'any-failed':
      return parents.some(({ state }) => holds(anyOn(runIf), state)) ? 'run' : 'skipped';
    case 'none-failed':
      if (parents.some(({ state }) => isFailed(state))) return 'upstream-failed';
      return parents.some(({ state }) => state === 'succeeded') ? 'run' : 'skipped';
    default:
      return decideAll(parents);
  }
}

function anyOn(runIf: RunIf): On {
  return runIf === 'any-failed' ? 'failed' : 'succeeded';
}

function decideAll(parents: readonly ParentEnd[]): 'run' | FinalTaskState {
  const unmet = parents.filter(({ state, on }) => !holds(on, state));
  if (unmet.length === 0) return 'run';
  return unmet.some(({ state }) => isFailed(state)) ? 'upstream-failed' : 'skipped';
}

function holds(on: On, state: FinalTaskState): boolean {
  if (on === 'done') return true;
  return on === 'succeeded' ? state === 'succeeded' : isFailed(state);
}

function isFailed(state: FinalTaskState): boolean {
  return state === 'failed' || state === 'upstream-failed';
}
