/** Where a run is, from the root. */
export function runPath(id: string): string {
  return `/api/v1/runs/${encodeURIComponent(id)}`;
}

export function taskPath(id: string, task: string | number): string {
  return `${runPath(id)}/tasks/${encodeURIComponent(task)}`;
}
