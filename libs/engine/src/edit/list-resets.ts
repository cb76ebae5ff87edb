import type { Steps } from '@runnel/core';
import { stateCode } from '@runnel/store';
import { fateCode } from './fates.ts';
import type { KeptDeliveries } from './keep-deliveries.ts';
import type { NextContext } from './next-state.ts';
import { nodeKinds } from './node-facts.ts';

/** What a task was, besides state codes: the counterpart of page-edit.lua. */
const started = 10;
const unstarted = 11;
const removed = 12;

const nodesPerStep = 16_384;

/** Tasks whose attempts and outputs are to be set back, with what they were: 24 bits of number, 8 of that. */
export function* listResets(context: NextContext, kept: KeptDeliveries): Steps<Uint32Array> {
  const { edit } = context;
  const resets: number[] = [];
  for (let number = 0; number < edit.old.nodeCount; number++) {
    if (number % nodesPerStep === 0) yield;
    const code = codeOf(context, kept, number);
    if (code !== null) resets.push(pack(number, code));
  }
  return Uint32Array.from(resets);
}

/** Null where nothing is to be set back. */
function codeOf(
  { edit, fates, frozen }: NextContext,
  { stopped }: KeptDeliveries,
  number: number,
): number | null {
  const kind = edit.old.kinds[number];
  if (kind !== nodeKinds.task && kind !== nodeKinds.replaced) return null;
  const fate = fates[number] ?? 0;
  if (edit.numbering.isMatched[number] === 0 || fate === fateCode.replaced) return removed;
  if (stopped.has(number)) return started;
  if (fate < fateCode.rerun || fate >= fateCode.new) return null;
  const code = frozen.states[number] ?? 0;
  // One that never ran has nothing that could be set back.
  if (code === stateCode.skipped || code === stateCode['upstream-failed']) return null;
  if (code !== stateCode.none) return code;
  return frozen.hasMarks ? unstarted : null;
}

function pack(number: number, code: number): number {
  return ((code << 24) | number) >>> 0;
}
