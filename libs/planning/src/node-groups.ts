import type { Group, Plan } from '@runnel/core';

/** The group number of each node, spelled out: 4 bytes a node. */
export function groupsOfNodes({
  groupRanges,
  nodeCount,
}: Pick<Plan, 'groupRanges' | 'nodeCount'>): Uint32Array {
  const groups = new Uint32Array(nodeCount);
  for (let index = 0; index < groupRanges.length; index += 2) {
    groups.fill(groupRanges[index + 1] ?? 0, groupRanges[index], groupRanges[index + 2]);
  }
  return groups;
}

/** By group: 0 for barriers, which take no time and count as no step. */
export function taskWeights(groups: readonly Group[]): Uint8Array {
  return Uint8Array.from(groups, ({ kind }) => (kind === 'barrier' ? 0 : 1));
}
