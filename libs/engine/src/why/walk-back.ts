import { edgeCondition, edgeId, silentOn } from '@runnel/core';
import { edgeFlags, finalStateOf, type NodePages, stateCode } from '@runnel/store';

/** Nodes that one walk goes through, and edges that it looks at. */
const mostNodes = 10_000;
const mostEdges = 1_048_576;

/** An edge that did not hold, at whose other end nothing more is to be blamed. */
export interface Cause {
  readonly parent: number;
  readonly code: number;
  /** The condition of the edge: what it wanted. */
  readonly condition: number;
  /** From the task that was asked about to the one that has the edge. */
  readonly path: readonly number[];
}

export interface Walk {
  /** By parent, each once, nearest first. */
  readonly causes: readonly Cause[];
  readonly nodes: number;
  /** False where the walk stopped before everything was looked at. */
  readonly isWhole: boolean;
}

/**
 * Walks backwards over edges that did not hold, through nodes that only passed on what happened above
 * them, to those where it began: failed tasks for one that is upstream-failed; for one that was
 * skipped, parents that ended otherwise than their edge wanted. `maxNodes` is for tests.
 */
export async function walkBack(
  pages: NodePages,
  from: number,
  maxNodes = mostNodes,
): Promise<Walk> {
  const way = new Way(from, await pages.stateOf(from));
  let edgesLeft = mostEdges;
  for (let at = 0; at < way.nodes.length; at++) {
    const node = way.nodes[at] ?? from;
    if (at >= maxNodes) return way.finish(at, false);
    const { edges, total } = await pages.parentsOf(node);
    edgesLeft -= edges.length;
    if (edgesLeft < 0 || edges.length < total) return way.finish(at, false);
    const codes = await pages.statesOf([...edges].map(edgeId));
    for (const [index, edge] of edges.entries()) way.look(node, edge, codes[index] ?? 0);
  }
  return way.finish(way.nodes.length, true);
}

/** What was seen on a walk. */
class Way {
  /** In the order in which they are gone through. */
  readonly nodes: number[];
  readonly #passes: number;
  readonly #cameFrom = new Map<number, number | null>();
  readonly #causes = new Map<number, Cause>();

  constructor(from: number, passes: number) {
    this.nodes = [from];
    this.#passes = passes;
    this.#cameFrom.set(from, null);
  }

  look(node: number, edge: number, code: number): void {
    const parent = edgeId(edge);
    const condition = edgeCondition(edge);
    if (!isToBlame(this.#passes, condition, code)) return;
    if (code === this.#passes) this.#goOn(parent, node);
    else if (!this.#causes.has(parent)) {
      this.#causes.set(parent, { parent, code, condition, path: this.#pathTo(node) });
    }
  }

  finish(nodes: number, isWhole: boolean): Walk {
    return { causes: [...this.#causes.values()], nodes, isWhole };
  }

  #goOn(parent: number, from: number): void {
    if (this.#cameFrom.has(parent)) return;
    this.#cameFrom.set(parent, from);
    this.nodes.push(parent);
  }

  #pathTo(node: number): readonly number[] {
    const path: number[] = [];
    for (let at: number | null = node; at !== null; at = this.#cameFrom.get(at) ?? null) {
      path.push(at);
    }
    return path.reverse();
  }
}

/** Flags of an edge, as the store has them. */
const unmetFailed = 1;
const unmet = 2;
const holds = 8;

/** Whether an edge did not hold, and had part in the end of a node that is `passes`. */
function isToBlame(passes: number, condition: number, code: number): boolean {
  if (finalStateOf(code) === undefined) return false;
  // Of a generator that ended well nothing more was wanted.
  if ((condition & 3) === silentOn && code === stateCode.succeeded) return false;
  const flags = edgeFlags(condition, code);
  if (passes === stateCode['upstream-failed']) return (flags & unmetFailed) !== 0;
  // The rules none-failed and any want one parent that ended well: each that did not is to blame.
  const isAll = condition >>> 2 === 0;
  return isAll ? (flags & unmet) !== 0 : (flags & holds) === 0;
}
