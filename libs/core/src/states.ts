/** Where a task is now. `queued` and `running` are derived from open deliveries when read. */
export const taskStates = [
  'waiting',
  'ready',
  'queued',
  'running',
  'delayed',
  'suspended',
  'succeeded',
  'failed',
  'skipped',
  'upstream-failed',
  'cancelled',
] as const;
export type TaskState = (typeof taskStates)[number];

/** The states that a task never leaves by itself. */
export const finalTaskStates = [
  'succeeded',
  'failed',
  'skipped',
  'upstream-failed',
  'cancelled',
] as const satisfies readonly TaskState[];
export type FinalTaskState = (typeof finalTaskStates)[number];

/** The states of a task that has not ended, by which changes of a run select. */
export const openTaskStates = [
  'waiting',
  'ready',
  'queued',
  'running',
  'delayed',
] as const satisfies readonly TaskState[];
export type OpenTaskState = (typeof openTaskStates)[number];

/** Where a run is now. */
export const runStates = [
  'created',
  'submitting',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof runStates)[number];

export const finalRunStates = ['succeeded', 'failed', 'cancelled'] as const;
export type FinalRunState = (typeof finalRunStates)[number];

export function isFinalRunState(state: RunState): state is FinalRunState {
  return finalRunStates.some((final) => final === state);
}

export function isFinalTaskState(state: TaskState): state is FinalTaskState {
  return finalTaskStates.some((final) => final === state);
}
