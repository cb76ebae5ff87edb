import { finishSteps, type Issue, SpecError } from '@runnel/core';
import type { NativeEntry } from './native-entry.ts';
import { translateRun } from './translate-run.ts';

/** What a generator printed, as native entries; or what is wrong with it. */
export type GeneratedTasks =
  | {
      readonly kind: 'entries';
      readonly entries: readonly NativeEntry[];
      readonly warnings: readonly Issue[];
    }
  | { readonly kind: 'issues'; readonly issues: readonly Issue[] };

export interface GeneratedOptions {
  /** Of the run: they expand generated tasks as they do others. */
  readonly parameters?: unknown;
  /** The most tasks that one generator may make. */
  readonly maxTasks?: number;
}

const mostTasks = 1_000_000;

/**
 * Translates what a generator in DaggyR's dialect printed, parsed: a map or a list of tasks. Tasks refer
 * to each other as in a run; a name that none of them has is that of a task of the run.
 */
export function translateGenerated(value: unknown, options: GeneratedOptions = {}): GeneratedTasks {
  const { parameters, maxTasks = mostTasks } = options;
  const document = { tasks: value, ...(parameters === undefined ? {} : { parameters }) };
  try {
    const limits = { maxTasks, maxProduct: maxTasks };
    const translation = finishSteps(translateRun(document, { pools: [], limits }));
    // They come into a run whose defaults are its own.
    const entries = [...translation.entries()].map((entry) => ({ ...entry, templated: false }));
    return { kind: 'entries', entries, warnings: translation.warnings.map(withoutTasks) };
  } catch (error: unknown) {
    if (!(error instanceof SpecError)) throw error;
    return { kind: 'issues', issues: error.issues.map(withoutTasks) };
  }
}

/** What was printed is the value of `tasks`: places in it begin there. */
function withoutTasks(issue: Issue): Issue {
  return issue.path[0] === 'tasks' ? { ...issue, path: issue.path.slice(1) } : issue;
}
