import type { Group } from '@runnel/core';
import { stateCode } from '@runnel/store';

/** How a run has ended, and its tasks by final state; states with none are left out. */
export interface EndTally {
  readonly state: 'succeeded' | 'failed';
  readonly tasks: Readonly<Record<string, number>>;
}

const stateNames = new Map<number, string>(
  Object.entries(stateCode).map(([name, code]) => [code, name]),
);

/** Counts state bytes of nodes. What did not start was ended by a stop. */
export function tallyEnds(
  states: Uint8Array,
  groupOf: (node: number) => Pick<Group, 'kind' | 'allowFailure'>,
): EndTally {
  const tasks: Record<string, number> = {};
  let hasFailed = false;
  for (const [node, code] of states.entries()) {
    const { kind, allowFailure } = groupOf(node);
    if (kind === 'barrier' || code === stateCode.retired) continue;
    const name = code === 0 ? 'cancelled' : (stateNames.get(code) ?? 'cancelled');
    tasks[name] = (tasks[name] ?? 0) + 1;
    hasFailed ||= code === stateCode.failed && !allowFailure;
  }
  return { state: hasFailed ? 'failed' : 'succeeded', tasks };
}
