/** Followers of a run's logs and of its end listen here; messages are hints, never the truth. */
export function runChannel(namespace: string, runId: string): string {
  return `${namespace}:run:${runId}`;
}

/** On which a cancel is told to every worker at once. */
export function cancelChannel(namespace: string): string {
  return `${namespace}:cancel`;
}

/** On which an edit is told to every worker at once: when the run is frozen, and when it has its new spec. */
export function editChannel(namespace: string): string {
  return `${namespace}:edit`;
}

/** On which a cancel of tasks is told to every worker at once. */
export function cancelTasksChannel(namespace: string): string {
  return `${namespace}:cancel-tasks`;
}

/** On which a pause is told to every worker at once. */
export function pauseChannel(namespace: string): string {
  return `${namespace}:pause`;
}
