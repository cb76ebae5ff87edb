import type { TaskEvent } from './evidence.ts';

/** One start of an attempt, with its end if it came to one. */
export interface Execution {
  readonly attempt: number;
  readonly pid: number;
  /** A function runs in its worker's process, a command in its own. */
  readonly inWorker: boolean;
  readonly nonce: string;
  readonly startAt: number;
  readonly startLine: number;
  readonly endAt: number | null;
  readonly endLine: number | null;
  readonly end: string | null;
  /** Marks of the parents' outputs that it was given, by parent. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** By task, in the order of their starts. */
export type RunExecutions = ReadonlyMap<string, readonly Execution[]>;

/** By run. */
export function executionsOf(events: readonly TaskEvent[]): ReadonlyMap<string, RunExecutions> {
  const ends = new Map<string, { readonly event: TaskEvent; readonly line: number }>();
  events.forEach((event, line) => {
    if (event.e === 'end') ends.set(`${event.run} ${event.task} ${event.nonce}`, { event, line });
  });
  const runs = new Map<string, Map<string, Execution[]>>();
  events.forEach((event, line) => {
    if (event.e !== 'start') return;
    const tasks = runs.get(event.run) ?? new Map<string, Execution[]>();
    runs.set(event.run, tasks);
    const all = tasks.get(event.task) ?? [];
    tasks.set(event.task, all);
    all.push(toExecution(event, line, ends.get(`${event.run} ${event.task} ${event.nonce}`)));
  });
  return runs;
}

function toExecution(
  start: TaskEvent,
  line: number,
  end: { readonly event: TaskEvent; readonly line: number } | undefined,
): Execution {
  return {
    attempt: start.attempt,
    pid: start.pid,
    // Commands mark themselves with their pid, functions with a UUID.
    inWorker: !start.nonce.startsWith(`${start.pid}-`),
    nonce: start.nonce,
    startAt: start.at,
    startLine: line,
    endAt: end?.event.at ?? null,
    endLine: end?.line ?? null,
    end: end?.event.end ?? null,
    inputs: marksOf(start.inputs),
  };
}

/** Inputs are an object by class of an output or a list of them. */
function marksOf(inputs: unknown): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  if (typeof inputs !== 'object' || inputs === null) return marks;
  for (const output of Object.values(inputs).flat()) {
    if (typeof output !== 'object' || output === null) continue;
    if (!('task' in output && 'nonce' in output)) continue;
    marks.set(String(output.task), String(output.nonce));
  }
  return marks;
}
