import type { PlannedTask } from './evidence.ts';

export interface ExpectedEnd {
  readonly state: string;
  /** 0: it never runs. */
  readonly attempt: number;
}

/** What must become of each task, parents before children, as docs/spec.md says. */
export function expectedEnds(graph: readonly PlannedTask[]): ReadonlyMap<string, ExpectedEnd> {
  const ends = new Map<string, ExpectedEnd>();
  for (const task of graph) {
    const parents = task.parents.map((parent) => ends.get(parent)?.state ?? 'missing');
    const unmet = unmetState(task.runIf, parents);
    const last = task.ends.at(-1) ?? 'succeeded';
    ends.set(
      task.id,
      unmet === null ? { state: last, attempt: task.ends.length } : { state: unmet, attempt: 0 },
    );
  }
  return ends;
}

/** Null: it runs. */
function unmetState(runIf: string, parents: readonly string[]): string | null {
  if (parents.length === 0 || runIf === 'all-done') return null;
  const hasFailed = parents.some((state) => state === 'failed' || state === 'upstream-failed');
  const succeeded = parents.filter((state) => state === 'succeeded').length;
  const isMet =
    runIf === 'none-failed' ? !hasFailed && succeeded > 0 : succeeded === parents.length;
  if (isMet) return null;
  return hasFailed ? 'upstream-failed' : 'skipped';
}
