import { edgeId, type Steps } from '@runnel/core';
import { stateCode } from '@runnel/store';
import { changes } from './find-changes.ts';
import type { CarriedSet } from './join-sets.ts';
import { nodeKinds } from './node-facts.ts';
import type { Renumbered } from './renumber.ts';

/** What an edit does with a task. */
export const fateNames = ['reused', 'kept', 'rerun', 'new', 'removed'] as const;
export type Fate = (typeof fateNames)[number];

/** Why a task runs again, what comes first counts. */
export const rerunReasons = [
  'details',
  'version',
  'values',
  'parents',
  'parent-reran',
  'never-succeeded',
] as const;
export type RerunReason = (typeof rerunReasons)[number];

/** Fates as they are kept, a byte a node. From `rerun` on a node is decided anew, and so are its children. */
export const fateCode = {
  none: 0,
  reused: 1,
  kept: 2,
  /** And the place of the reason. */
  rerun: 3,
  new: 9,
  /** Of a generated set whose generator runs again, or does not go on there: it goes as a whole. */
  replaced: 10,
} as const;

export interface FateSource {
  readonly structure: Renumbered;
  /** By number, of findChanges. */
  readonly changes: Uint8Array;
  /** By number, parents first. */
  readonly order: Uint32Array;
  /** Generated sets that go on with their generators. */
  readonly sets: readonly CarriedSet[];
  /** State bytes of the old revision, by number. */
  readonly states: Uint8Array;
}

const nodesPerStep = 16_384;

/** The fate of each number. Barriers are only passed through: `new` where a parent is decided anew, else `kept`. */
export function* tellFates(source: FateSource): Steps<Uint8Array> {
  const { structure, order } = source;
  const fates = new Uint8Array(structure.nodeCount);
  for (let index = 0; index < order.length; index++) {
    const node = order[index] ?? 0;
    fates[node] = fateOf(source, fates, node);
    if (index % nodesPerStep === 0) yield;
  }
  // A set comes before those that its tasks generated.
  for (const { generator, spans } of source.sets) {
    if ((fates[generator] ?? 0) < fateCode.rerun) continue;
    for (const [from, to] of spans) fates.fill(fateCode.replaced, from, to);
    yield;
  }
  return fates;
}

function fateOf(source: FateSource, fates: Uint8Array, node: number): number {
  const { structure, changes: found } = source;
  const change = found[node] ?? 0;
  if (change === changes.gone) return fateCode.none;
  const isAnew = hasParentAnew(structure, fates, node);
  if (structure.kinds[node] !== nodeKinds.task) {
    const isOwn = structure.kinds[node] === nodeKinds.barrier && change !== changes.none;
    return isAnew || isOwn ? fateCode.new : fateCode.kept;
  }
  if (change === changes.new) return fateCode.new;
  if (change !== changes.none) return fateCode.rerun + change - changes.details;
  return isAnew ? rerunFor('parent-reran') : fateOfUnchanged(source.states[node] ?? 0);
}

function fateOfUnchanged(state: number): number {
  if (state === stateCode.none || state === stateCode.delayed) return fateCode.kept;
  // With the same parents, which ended alike, it would be skipped once more.
  const isEnd = state === stateCode.succeeded || state === stateCode.skipped;
  return isEnd ? fateCode.reused : rerunFor('never-succeeded');
}

function rerunFor(reason: RerunReason): number {
  return fateCode.rerun + rerunReasons.indexOf(reason);
}

function hasParentAnew(structure: Renumbered, fates: Uint8Array, node: number): boolean {
  const { parentOffsets, parents } = structure;
  const last = parentOffsets[node + 1] ?? 0;
  for (let index = parentOffsets[node] ?? 0; index < last; index++) {
    if ((fates[edgeId(parents[index] ?? 0)] ?? 0) >= fateCode.rerun) return true;
  }
  return false;
}

/** What a kept byte says; null for barriers and what is left of removed tasks. */
export function readFate(
  code: number,
): { readonly fate: Fate; readonly reason: RerunReason | null } | null {
  if (code === fateCode.none) return null;
  if (code === fateCode.reused) return { fate: 'reused', reason: null };
  if (code === fateCode.kept) return { fate: 'kept', reason: null };
  if (code === fateCode.new) return { fate: 'new', reason: null };
  if (code === fateCode.replaced) return { fate: 'removed', reason: null };
  return { fate: 'rerun', reason: rerunReasons[code - fateCode.rerun] ?? null };
}
