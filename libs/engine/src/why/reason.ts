import { plural, type TaskState, type WhyCode } from '@runnel/core';

/** A task that a reason names. */
export interface NamedTask {
  readonly number: number;
  readonly id: string;
  readonly state: TaskState;
}

/** One thing that something waits for, or why it ended so. */
export interface Reason {
  readonly code: WhyCode;
  /** A clause in plain words, without a full stop. */
  readonly detail: string;
  /** Tasks that it is about, of which `tasks` has the first. */
  readonly count?: number;
  readonly tasks?: readonly NamedTask[];
  /** What would put it right; absent where it passes by itself. */
  readonly remedy?: string;
  /** Epoch milliseconds. */
  readonly since?: number;
  /** When it passes, where that is known. */
  readonly until?: number;
}

/** Tasks that one reason names at most. */
export const mostNamed = 20;

/** ` by ann@host`; nothing where it was not said. */
export function byWhom(by: string | null | undefined): string {
  return by === null || by === undefined || by === '' ? '' : ` by ${by}`;
}

/** ` at 2030-01-31T08:00:00.000Z`; nothing where it is not known. */
export function atTime(epochMs: string | undefined): string {
  return epochMs === undefined ? '' : ` at ${new Date(Number(epochMs)).toISOString()}`;
}

/** `3 of clean, 1 of pull`. */
export function listClasses(classes: ReadonlyMap<string, number>): string {
  const all = [...classes].sort(([, a], [, b]) => b - a);
  const named = all.slice(0, mostClasses).map(([name, count]) => `${count} of ${name}`);
  const rest = all.length - named.length;
  return [...named, ...(rest > 0 ? [`${plural(rest, 'more class', 'more classes')}`] : [])].join(
    ', ',
  );
}

/** Classes that one sentence names. */
const mostClasses = 5;
