import { edgeId } from '@runnel/core';
import type { EditParts } from '@runnel/store';
import type { PreparedEdit } from './prepare-edit.ts';

/**
 * Edges that a set brings with it and that the next set in its place replaces are kept beside the lists of edges:
 * from the generator to the set's start, and from what gathers the set to the end barriers. This is the
 * structure without them.
 */
export function withoutLater(
  edit: Pick<PreparedEdit, 'structure' | 'children' | 'sets' | 'joined'>,
): Pick<EditParts, 'structure' | 'children'> {
  const { structure, children, sets, joined } = edit;
  if (sets.length === 0) return { structure, children };
  const gathers = new Map([...joined.gathers].map(([end, edge]) => [end, edgeId(edge)]));
  const later = new Map([
    ...sets.map(({ generator, record }) => [generator, record.start] as const),
    ...[...gathers].map(([end, gather]) => [gather, end] as const),
  ]);
  const up = drop(structure.parentOffsets, structure.parents, gathers);
  const down = drop(children.childOffsets, children.children, later);
  return {
    structure: { ...structure, parentOffsets: up.offsets, parents: up.edges },
    children: { childOffsets: down.offsets, children: down.edges },
  };
}

/** Each node of `dropped` loses the edge to the node that it is given with. */
function drop(
  offsets: Uint32Array,
  edges: Uint32Array,
  dropped: ReadonlyMap<number, number>,
): { readonly offsets: Uint32Array; readonly edges: Uint32Array } {
  const left = new Uint32Array(offsets.length);
  const kept = new Uint32Array(edges.length);
  let at = 0;
  for (let node = 0; node + 1 < offsets.length; node++) {
    const own = edges.subarray(offsets[node] ?? 0, offsets[node + 1] ?? 0);
    const other = dropped.get(node);
    for (const edge of own) if (edgeId(edge) !== other) kept[at++] = edge;
    left[node + 1] = at;
  }
  return { offsets: left, edges: kept.subarray(0, at) };
}
