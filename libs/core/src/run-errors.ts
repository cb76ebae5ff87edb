import { ConflictError, NotFoundError } from './errors.ts';
import type { RunState } from './states.ts';
import { suggest } from './suggest.ts';

// What every reader and every change of a run says in the same words.

export function noSuchRun(id: string): NotFoundError {
  return new NotFoundError(`there is no run ${id}; it may have been deleted`);
}

/**
 * @param task its id or its number, as it was asked for.
 * @param hint what may have been meant.
 */
export function noSuchTask(run: string, task: string | number, hint = ''): NotFoundError {
  return new NotFoundError(`run ${run} has no task ${JSON.stringify(task)}${hint}`);
}

/** @param known the classes that the run has. */
export function noSuchClass(run: string, name: string, known: Iterable<string>): NotFoundError {
  const hint = suggest(name, known);
  return new NotFoundError(`run ${run} has no class ${JSON.stringify(name)}${hint}`);
}

export function notEnded(id: string, state: RunState): ConflictError {
  return new ConflictError(`run ${id} is ${state}: cancel it before it is deleted`);
}

export function beingSubmitted(id: string): ConflictError {
  return new ConflictError(`run ${id} is being submitted: ask again in a few seconds`, 'IN_FLIGHT');
}

export function beingEdited(id: string): ConflictError {
  return new ConflictError(`run ${id} is being edited: ask again in a few seconds`, 'IN_FLIGHT');
}
