import {
  edgeId,
  type Group,
  LimitError,
  maxNodes,
  type Plan,
  packEdge,
  payloadChunk,
  type Steps,
  type TaskPayload,
  taskId,
} from '@runnel/core';
import { encodeGroups, groupChunk, packPayloads, type StoredGroup } from '../chunks.ts';
import type { RunKey } from '../keys.ts';
import { nameHash } from '../names.ts';
import { bytesOf, stateCode } from '../packed.ts';
import { encodeGroupIndex, type GroupRoute, groupTotals, groupWalker } from '../run-parts.ts';
import { buildChildren } from '../structure.ts';
import { EdgePacker } from './edge-packer.ts';

/** Generated tasks and the barriers around them, numbered from 0. */
export interface NewSet {
  readonly plan: SetPlan;
  readonly taskCount: number;
  /** The barrier that waits for the generator. */
  readonly start: number;
  /** Barriers that wait for all tasks of the set, each with the end barrier of the generator that waits for it. */
  readonly gathers: readonly {
    readonly node: number;
    readonly end: number;
    readonly edge: number;
  }[];
  /** How many groups of tasks of the run are waited for: behind the start, two barriers each. */
  readonly outerCount: number;
  /** Edges from tasks of the run: the packed edge names the parent. */
  readonly outer: readonly { readonly node: number; readonly edge: number }[];
}

/** A plan without what belongs to a run as a whole. */
export type SetPlan = Pick<
  Plan,
  'nodeCount' | 'barrierCount' | 'groups' | 'groupRanges' | 'parentOffsets' | 'parents' | 'payloads'
>;

/** The run as a set finds it. */
export interface Base {
  readonly nodeCount: number;
  readonly groupCount: number;
  /** Groups of the last chunk, where that is not full. */
  readonly lastGroups: readonly StoredGroup[];
  readonly rangeCount: number;
  readonly parentEdges: number;
  readonly childEdges: number;
  readonly queues: readonly string[];
}

/** Where the set goes: payloads of its tasks begin with a chunk of their own, so that no chunk is written twice. */
export interface SetPlace {
  readonly first: number;
  readonly padding: number;
  readonly end: number;
}

/** Throws LimitError where the run would get too many nodes. */
export function placeOf(base: Pick<Base, 'nodeCount'>, plan: SetPlan): SetPlace {
  const first = Math.ceil(base.nodeCount / payloadChunk) * payloadChunk;
  const end = first + plan.nodeCount;
  if (end <= maxNodes) return { first, padding: first - base.nodeCount, end };
  throw new LimitError(
    `with the generated tasks the run has ${end} tasks and barriers, over the limit of ${maxNodes}`,
  );
}

/** Bytes that go into a string from an offset, or into a field of a hash. */
export interface SetPart {
  readonly key: RunKey;
  readonly kind: 's' | 'h';
  readonly place: number;
  readonly bytes: Buffer;
}

export interface SetSource {
  readonly set: NewSet;
  readonly base: Base;
  readonly place: SetPlace;
  readonly generator: number;
  /** Of the set's groups. */
  readonly routes: readonly GroupRoute[];
  readonly queues: readonly string[];
  /** By node of the set: the number whose result it takes over, and one more; 0 where it runs. */
  readonly origins: Uint32Array | null;
}

/** What stands behind the run's last node, and counts only when that is moved. */
export function* listNodeParts(source: SetSource): Steps<readonly SetPart[]> {
  const { base, place, set } = source;
  const { nodeCount } = base;
  const { padding } = place;
  const links = yield* linkNodes(source);
  const names = new Uint16Array(padding + set.plan.nodeCount);
  const payloads: SetPart[] = [];
  yield* addPayloads(source, names.subarray(padding), payloads);
  const states = Buffer.alloc(padding + set.plan.nodeCount);
  states.fill(stateCode.succeeded, 0, padding);
  for (const [node, origin] of (source.origins ?? []).entries()) {
    if (origin !== 0) states[padding + node] = stateCode.reused;
  }
  return [
    { key: 'state', kind: 's', place: nodeCount, bytes: states },
    { key: 'waiting', kind: 's', place: nodeCount * 4, bytes: links.waiting },
    { key: 'parentOffsets', kind: 's', place: nodeCount * 4 + 4, bytes: links.parentOffsets },
    { key: 'parents', kind: 's', place: base.parentEdges * 4, bytes: links.parents },
    { key: 'childOffsets', kind: 's', place: nodeCount * 4 + 4, bytes: links.childOffsets },
    { key: 'children', kind: 's', place: base.childEdges * 4, bytes: links.children },
    { key: 'names', kind: 's', place: nodeCount * 2, bytes: bytesOf(names) },
    ...payloads,
  ];
}

/** Groups: they count at once, so they go with the last call. */
export function listGroupParts({
  set,
  base,
  place,
  routes,
  queues,
}: SetSource): readonly SetPart[] {
  const { plan } = set;
  const totals = groupTotals(plan);
  const added = plan.groups.map(
    (group, index): StoredGroup => ({ ...group, total: totals[index] ?? 0 }),
  );
  const stored = [...base.lastGroups, ...added];
  const firstChunk = Math.floor(base.groupCount / groupChunk);
  const parts: SetPart[] = [];
  for (let from = 0; from < stored.length; from += groupChunk) {
    const bytes = encodeGroups(stored.slice(from, from + groupChunk));
    parts.push({ key: 'groups', kind: 'h', place: firstChunk + from / groupChunk, bytes });
  }
  const index = encodeGroupIndex(plan, routes, queues);
  const ranges = shiftRanges(set, base, place);
  return [
    ...parts,
    { key: 'groupIndex', kind: 's', place: base.groupCount * 8, bytes: index },
    { key: 'groupRanges', kind: 's', place: base.rangeCount * 8, bytes: bytesOf(ranges) },
  ];
}

/** What fills the last chunk of payloads is of the group of the start barrier. */
function shiftRanges(
  { plan, start }: NewSet,
  base: Base,
  { first, padding }: SetPlace,
): Uint32Array {
  const pairs: number[] = [];
  const groupAt = groupNumberAt(plan, start);
  if (padding > 0) pairs.push(base.nodeCount, base.groupCount + groupAt);
  for (let at = 0; at < plan.groupRanges.length; at += 2) {
    pairs.push(first + (plan.groupRanges[at] ?? 0));
    pairs.push(base.groupCount + (plan.groupRanges[at + 1] ?? 0));
  }
  return Uint32Array.from(pairs);
}

function groupNumberAt({ groupRanges }: SetPlan, node: number): number {
  let group = 0;
  for (let at = 0; at < groupRanges.length; at += 2) {
    if ((groupRanges[at] ?? 0) <= node) group = groupRanges[at + 1] ?? 0;
  }
  return group;
}

interface NodeLinks {
  readonly waiting: Buffer;
  readonly parentOffsets: Buffer;
  readonly parents: Buffer;
  readonly childOffsets: Buffer;
  readonly children: Buffer;
}

/** Nodes between two turns of others. */
const nodesPerStep = 4096;

/** The structure with the numbers of the run; parents in the run come before those in the set. */
function* linkNodes({ set, base, place, generator }: SetSource): Steps<NodeLinks> {
  const { plan, start, outer } = set;
  const { first, padding } = place;
  const inside = yield* buildChildren(plan);
  const before = groupEdges([
    ...outer,
    { node: start, edge: packEdge(generator, 'succeeded', 'all') },
  ]);
  const waiting = Buffer.alloc((padding + plan.nodeCount) * 4);
  const up = new EdgePacker(padding, plan.nodeCount, base.parentEdges);
  const down = new EdgePacker(padding, plan.nodeCount, base.childEdges);
  for (let node = 0; node < plan.nodeCount; node++) {
    up.addAll(before.get(node) ?? []);
    up.addShifted(plan.parents, span(plan.parentOffsets, node), first);
    waiting.writeUInt32BE(up.endNode(), (padding + node) * 4);
    down.addShifted(inside.children, span(inside.childOffsets, node), first);
    down.endNode();
    if (node % nodesPerStep === 0) yield;
  }
  return {
    waiting,
    parentOffsets: up.offsets(),
    parents: up.edges(),
    childOffsets: down.offsets(),
    children: down.edges(),
  };
}

/** The same condition, of an edge that names this node. */
export function withNode(edge: number, node: number): number {
  return ((edge & 0xff_00_00_00) | node) >>> 0;
}

function span(offsets: Uint32Array, node: number): readonly [from: number, to: number] {
  return [offsets[node] ?? 0, offsets[node + 1] ?? 0];
}

function groupEdges(
  all: readonly { readonly node: number; readonly edge: number }[],
): ReadonlyMap<number, readonly number[]> {
  const byNode = Map.groupBy(all, ({ node }) => node);
  return new Map(
    [...byNode].map(([node, own]) => [
      node,
      own.map(({ edge }) => edge).sort((a, b) => edgeId(a) - edgeId(b)),
    ]),
  );
}

/** Every chunk is written, also one that says nothing: a set that was given up may have left another there. */
function* addPayloads(
  { set: { plan }, place }: SetSource,
  names: Uint16Array,
  parts: SetPart[],
): Steps<void> {
  const groupAt: (node: number) => Group = groupWalker(plan);
  let chunk: TaskPayload[] = [];
  let node = 0;
  const close = (): void => {
    const number = Math.floor((place.first + node - 1) / payloadChunk);
    parts.push({ key: 'payload', kind: 'h', place: number, bytes: packPayloads(chunk) });
    chunk = [];
  };
  for (const payload of plan.payloads()) {
    names[node] = nameHash(taskId(groupAt(node), payload));
    chunk.push(payload);
    node++;
    if (node % payloadChunk !== 0) continue;
    close();
    yield;
  }
  if (chunk.length > 0) close();
}
