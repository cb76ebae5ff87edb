import type { Issue, Json } from '@runnel/core';
import type { ExecutorRegistry } from './registry.ts';

/** What is asked of executors when a spec is submitted: no executor is opened for it. */
export interface ExecutorCatalog {
  names(): readonly string[];
  /**
   * What is wrong with a task's details, before they are rendered: a leaf with a placeholder is taken for right, as its
   * value and type are not known yet. Paths begin inside `details`.
   *
   * @param written the same before anything was filled in, where the caller has filled in what it knows: a reference to
   *   a secret counts only where it is written.
   */
  check(executor: string, details: Json, written?: Json): readonly Issue[];
}

export function executorCatalog(registry: ExecutorRegistry): ExecutorCatalog {
  return {
    names: () => registry.names(),
    check: (executor, details, written) => registry.check(executor, details, written),
  };
}
