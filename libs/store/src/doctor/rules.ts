import { silentOn } from '@runnel/core';
import { stateCode } from '../packed.ts';

// The counterpart of lua/prelude-advance.lua: what an edge tells, and what becomes of a node.

/** Flags in the top byte of a `waiting` word. */
const unmetFailed = 1;
const unmet = 2;
const success = 4;
const released = 8;

const rules = { all: 0, noneFailed: 1, any: 2 } as const;

/** What an edge tells its child about the end of its parent, as flags. */
export function edgeFlags(condition: number, code: number): number {
  if ((condition & 3) === silentOn) return 0;
  const rule = condition >>> 2;
  const failed = code === stateCode.failed || code === stateCode['upstream-failed'];
  if (rule === rules.noneFailed) {
    if (failed) return unmetFailed;
    return code === stateCode.succeeded ? success : 0;
  }
  const met = isMet(condition & 3, code, failed);
  if (rule === rules.any) return met ? released : 0;
  if (rule !== rules.all || met) return 0;
  return failed ? unmetFailed : unmet;
}

function isMet(on: number, code: number, failed: boolean): boolean {
  if (on === 0) return code === stateCode.succeeded;
  return on === 1 ? failed : true;
}

/** The state code that a node comes to; `succeeded` stands for "runs". Null: parents are missing. */
export function verdictOf(rule: number, word: number): number | null {
  const flags = word >>> 24;
  if ((flags & released) !== 0) return stateCode.succeeded;
  if ((word & 0xff_ff_ff) !== 0) return null;
  if (rule === rules.any) return stateCode.skipped;
  if (rule !== rules.all && rule !== rules.noneFailed) return stateCode.succeeded;
  if ((flags & unmetFailed) !== 0) return stateCode['upstream-failed'];
  if (rule === rules.all) return (flags & unmet) !== 0 ? stateCode.skipped : stateCode.succeeded;
  return (flags & success) !== 0 ? stateCode.succeeded : stateCode.skipped;
}

/** Whether a node's parents have decided about it. */
export function isDecided(word: number): boolean {
  return ((word >>> 24) & released) !== 0 || (word & 0xff_ff_ff) === 0;
}
