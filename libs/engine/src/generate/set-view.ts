import { edgeId, type Group, type Plan, type TaskPayload } from '@runnel/core';
import { barrierGroup } from '@runnel/spec';
import { withNode } from '@runnel/store';

/**
 * A generated set as two of them are compared: its own nodes, then a stand-in for each task of the run that it
 * waits for, then a barrier for each group of these. Without what only ties a set to its run.
 */
export interface SetParts {
  readonly name: string | null;
  /** Its own nodes, with the names that the generator gave. */
  readonly nodeCount: number;
  readonly groups: readonly Group[];
  readonly groupRanges: Uint32Array;
  payloads(): Iterable<TaskPayload>;
  /** Packed edges to its own nodes. */
  parentsOf(node: number): Iterable<number>;
  /** Packed edges to places of `outer`, no place twice. */
  outerOf(node: number): Iterable<number>;
  /** Packed edges to tasks of the run, by group of them. */
  readonly outer: readonly (readonly number[])[];
}

/** As a plan of its own, as an edit compares them. */
export function toPlan(parts: SetParts): Plan {
  const { nodeCount: own, groups, outer } = parts;
  const standIns = [...new Set(outer.flat().map(edgeId))].sort((a, b) => a - b);
  const placeOf = new Map(standIns.map((number, index) => [number, own + index]));
  const behind = own + standIns.length;
  const nodeCount = behind + outer.length;
  return {
    ...{ name: parts.name, tags: {}, texts: null, onFailure: 'continue', parallelism: null },
    ...{ nodeCount, barrierCount: 0, ...listEdges(parts, { nodeCount, placeOf, behind }) },
    groups: [...groups, standInGroup, ...outer.map((_, index) => barrierGroup(`outer:${index}`))],
    groupRanges: Uint32Array.from([
      ...parts.groupRanges,
      ...(standIns.length === 0 ? [] : [own, groups.length]),
      ...outer.flatMap((_, index) => [behind + index, groups.length + 1 + index]),
    ]),
    payloads: () => withOthers(parts, standIns),
  };
}

/** No class of a user's has a colon. */
const standInGroup: Group = { ...barrierGroup('task:'), kind: 'task', executor: 'none' };

function* withOthers(parts: SetParts, standIns: readonly number[]): Generator<TaskPayload> {
  yield* parts.payloads();
  for (const number of standIns) yield { values: [], id: `task:${number}` };
  for (let index = 0; index < parts.outer.length; index++) yield { values: [] };
}

function listEdges(
  parts: SetParts,
  at: {
    readonly nodeCount: number;
    readonly placeOf: ReadonlyMap<number, number>;
    readonly behind: number;
  },
): Pick<Plan, 'parentOffsets' | 'parents'> {
  const parents: number[] = [];
  const parentOffsets = new Uint32Array(at.nodeCount + 1);
  for (let node = 0; node < at.nodeCount; node++) {
    for (const edge of parentsAt(parts, at, node)) parents.push(edge);
    parentOffsets[node + 1] = parents.length;
  }
  return { parentOffsets, parents: Uint32Array.from(parents) };
}

function parentsAt(
  parts: SetParts,
  { placeOf, behind }: { readonly placeOf: ReadonlyMap<number, number>; readonly behind: number },
  node: number,
): readonly number[] {
  if (node < parts.nodeCount) {
    const outer = [...parts.outerOf(node)].map((edge) => withNode(edge, behind + edgeId(edge)));
    return [...parts.parentsOf(node), ...outer];
  }
  const edges = node < behind ? [] : (parts.outer[node - behind] ?? []);
  return edges.map((edge) => withNode(edge, placeOf.get(edgeId(edge)) ?? 0));
}
