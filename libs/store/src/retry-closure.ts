import { edgeId, type Steps } from '@runnel/core';
import type { LaterEdges } from './growth/later-edges.ts';
import { stateCode } from './packed.ts';
import type { Children } from './structure.ts';

/** Nodes between two turns of others. */
const nodesPerStep = 16_384;

/** Child lists, with those that came after the run was sealed; what was retired is left out. */
export interface Descent extends Pick<Children, 'childOffsets' | 'children'> {
  readonly later?: LaterEdges;
  readonly states?: Uint8Array;
  /** Left out with what hangs on them alone. */
  readonly except?: ReadonlySet<number>;
}

/** The selected nodes and all that hangs on them, ascending: O(nodes + edges below them). */
export function* withDescendants(
  selected: Iterable<number>,
  nodeCount: number,
  { childOffsets, children, later, states, except }: Descent,
): Steps<Uint32Array> {
  const isIn = new Uint8Array(nodeCount);
  const found = new Uint32Array(nodeCount);
  let count = 0;
  const find = (node: number): void => {
    if (isIn[node] !== 0 || states?.[node] === stateCode.retired) return;
    if (except?.has(node) === true) return;
    isIn[node] = 1;
    found[count++] = node;
  };
  for (const node of selected) find(node);
  for (let next = 0; next < count; next++) {
    const node = found[next] ?? 0;
    const to = childOffsets[node + 1] ?? 0;
    for (let index = childOffsets[node] ?? 0; index < to; index++) {
      find(edgeId(children[index] ?? 0));
    }
    for (const edge of later?.get(node) ?? []) find(edgeId(edge));
    if (next % nodesPerStep === 0) yield;
  }
  return found.subarray(0, count).sort();
}

/** What a retry says of a task besides its number, in the upper 8 bits: the counterpart of prelude-retry.lua. */
export const retryMark = {
  none: 0,
  /** Of a generated set whose generator may run again: what has ended stays as it is. */
  kept: 128,
  /** The same, but something that it hangs on runs again: its result can't be reused. */
  revoked: 64,
  /** A generator that runs again, all of whose set has ended: the set is not followed into. */
  alone: 32,
} as const;

/** Sets of generators, as far as a retry needs to know them. */
export interface RetrySets {
  /** By generator: its set. */
  readonly spans: ReadonlyMap<number, SetSpan>;
  /** Whether a node will run again if it is selected. */
  isReset(node: number): boolean;
  hasEnded(node: number): boolean;
}

interface SetSpan {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/**
 * What a retry of the selected nodes is about, ascending, with marks. A generator that runs again replaces its
 * set, and what is unchanged in it is reused. So its old set is followed into, but what has ended there stays.
 */
export function* closeWithMarks(
  selected: Iterable<number>,
  nodeCount: number,
  descent: Descent & RetrySets,
): Steps<Uint32Array> {
  const { spans, isReset } = descent;
  const starts = new Set([...spans.values()].map(({ start }) => start));
  const hard = yield* withDescendants(selected, nodeCount, { ...descent, except: starts });
  const isHard = new Uint8Array(nodeCount);
  for (const node of hard) isHard[node] = 1;
  const runsAgain = (node: number): boolean => isHard[node] === 1 && isReset(node);
  const alone = findAlone(descent, runsAgain);
  const except = new Set([...alone.values()].map(({ start }) => start));
  const all = yield* withDescendants(hard, nodeCount, { ...descent, except });
  const isReplaced = findReplacedNodes(spans, nodeCount, runsAgain);
  for (const [index, node] of all.entries()) {
    let mark: number = alone.has(node) ? retryMark.alone : retryMark.none;
    if (isHard[node] === 0) mark = retryMark.kept;
    else if (isReplaced[node] === 1) mark = retryMark.revoked;
    all[index] = ((mark << 24) | node) >>> 0;
    if (index % nodesPerStep === 0) yield;
  }
  return all;
}

/** Generators that run again, of whose set nothing has to be held meanwhile. */
function findAlone(
  { spans, hasEnded }: RetrySets,
  runsAgain: (generator: number) => boolean,
): ReadonlyMap<number, SetSpan> {
  const alone = new Map<number, SetSpan>();
  for (const [generator, span] of spans) {
    if (!runsAgain(generator)) continue;
    let node = span.from;
    while (node < span.to && hasEnded(node)) node++;
    if (node === span.to) alone.set(generator, span);
  }
  return alone;
}

/** Nodes of sets whose generators run again, with those of sets in them. */
function findReplacedNodes(
  spans: RetrySets['spans'],
  nodeCount: number,
  runsAgain: (generator: number) => boolean,
): Uint8Array {
  const isReplaced = new Uint8Array(nodeCount);
  // Sets come after the sets that their generators are in.
  for (const [generator, { from, to }] of [...spans].sort(([, a], [, b]) => a.from - b.from)) {
    if (runsAgain(generator) || isReplaced[generator] === 1) isReplaced.fill(1, from, to);
  }
  return isReplaced;
}
