import type { StoredGroup } from '@runnel/store';

/** Work that an executor is handed at once: tasks behind a slow one of their part have to wait for it. */
const partMs = 50;
/** Tasks that no part has come to by then are handed back: other slots may be free for them. */
const patienceMs = 400;

/** How long tasks of each group take on this worker. */
export class Pace {
  readonly #meanMs = new WeakMap<StoredGroup, number>();

  /** How many tasks of a group make a part; one while nothing is known of it. */
  partSize(group: StoredGroup): number {
    const meanMs = this.#meanMs.get(group);
    return meanMs === undefined ? 1 : Math.max(1, Math.floor(partMs / Math.max(meanMs, 0.001)));
  }

  /** A later part counts as much as all before it, so that a change is soon noticed. */
  note(group: StoredGroup, tasks: number, ms: number): void {
    const before = this.#meanMs.get(group);
    const mean = ms / tasks;
    this.#meanMs.set(group, before === undefined ? mean : (before + mean) / 2);
  }
}

export interface Feeding<Task> {
  readonly group: StoredGroup;
  readonly tasks: readonly Task[];
  readonly signal: AbortSignal;
  /**
   * Resolves when every task of the part has ended, with the ms that they took: what the part waited
   * for a place to run in is not theirs.
   */
  run(part: readonly Task[]): Promise<number>;
  /** Called at most once, while a part may be running. */
  handBack(rest: readonly Task[]): void;
}

/**
 * Hands the tasks of a delivery to an executor that takes them one after another: in parts, so that
 * the sizes follow what tasks really take, and a slow one does not hold up what stands behind it.
 */
export async function feedInParts<Task>(pace: Pace, feeding: Feeding<Task>): Promise<void> {
  const { group, tasks, signal } = feeding;
  let next = 0;
  const timer = setTimeout(() => {
    const rest = tasks.slice(next);
    next = tasks.length;
    if (rest.length > 0 && !signal.aborted) feeding.handBack(rest);
  }, patienceMs);
  try {
    while (next < tasks.length && !signal.aborted) {
      const part = tasks.slice(next, next + pace.partSize(group));
      next += part.length;
      pace.note(group, part.length, await feeding.run(part));
    }
  } finally {
    clearTimeout(timer);
  }
}
