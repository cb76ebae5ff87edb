import { edgeId, packEdge } from '@runnel/core';
import { type NextState, withNode } from '@runnel/store';
import { fateCode } from './fates.ts';
import type { NextContext } from './next-state.ts';

/** What is kept beside the structure of sets that go on: a set that comes in their place writes it anew. */
export function listGrown({
  edit,
  fates,
}: Pick<NextContext, 'edit' | 'fates'>): NextState['grown'] {
  const generated = new Map<number, string>();
  const moreChildren = new Map<number, number>();
  const moreParents = new Map<number, number>();
  for (const { generator, record } of edit.sets) {
    if (fates[record.start] === fateCode.replaced) continue;
    generated.set(generator, JSON.stringify(record));
    moreChildren.set(generator, packEdge(record.start, 'succeeded', 'all'));
  }
  for (const [end, edge] of edit.joined.gathers) {
    const gather = edgeId(edge);
    if (fates[gather] === fateCode.replaced) continue;
    moreParents.set(end, edge);
    moreChildren.set(gather, withNode(edge, end));
  }
  return { generated, moreChildren, moreParents };
}
