import { type RunState, type TaskState, unreachable } from '@runnel/core';

/** The states that DaggyR knows, of runs and of tasks. */
export const daggyrStates = ['Queued', 'Running', 'Errored', 'Completed', 'Killed'] as const;
export type DaggyrState = (typeof daggyrStates)[number];

/** A run that is being cancelled is `Killed` from the moment at which that was asked for, as in DaggyR. */
export function toRunState(state: RunState, isCancelling: boolean): DaggyrState {
  if (isCancelling) return 'Killed';
  switch (state) {
    case 'created':
    case 'submitting':
      return 'Queued';
    case 'running':
    case 'paused':
      return 'Running';
    case 'succeeded':
      return 'Completed';
    case 'failed':
      return 'Errored';
    case 'cancelled':
      return 'Killed';
    default:
      throw unreachable(state);
  }
}

/** A task that did not run because of another's end stays `Queued`, as in DaggyR. */
export function toTaskState(state: TaskState): DaggyrState {
  switch (state) {
    case 'waiting':
    case 'ready':
    case 'queued':
    case 'delayed':
    case 'suspended':
    case 'skipped':
    case 'upstream-failed':
      return 'Queued';
    case 'running':
      return 'Running';
    case 'succeeded':
      return 'Completed';
    case 'failed':
      return 'Errored';
    case 'cancelled':
      return 'Killed';
    default:
      throw unreachable(state);
  }
}

/** Tasks by DaggyR's states; those without tasks are left out, as there. */
export function countTaskStates(
  counts: Readonly<Partial<Record<TaskState, number>>>,
  states: readonly TaskState[],
): Readonly<Partial<Record<DaggyrState, number>>> {
  const sums: Partial<Record<DaggyrState, number>> = {};
  for (const state of states) {
    const count = counts[state] ?? 0;
    const name = toTaskState(state);
    if (count > 0) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}
