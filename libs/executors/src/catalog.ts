import type { Issue, Json } from '@runnel/core';
import { describeUnknown, type ExecutorRegistry } from './registry.ts';
import { describeSchemaIssues } from './schema-issues.ts';

/** What is asked of executors when a spec is submitted: no executor is opened for it. */
export interface ExecutorCatalog {
  names(): readonly string[];
  /**
   * What is wrong with a task's details, before they are rendered: a leaf with a placeholder is taken for right, as its
   * value and type are not known yet. Paths begin inside `details`.
   */
  check(executor: string, details: Json): readonly Issue[];
}

export function executorCatalog(registry: ExecutorRegistry): ExecutorCatalog {
  return {
    names: () => registry.names(),
    check: (executor, details) => checkDetails(registry, executor, details),
  };
}

function checkDetails(
  registry: ExecutorRegistry,
  executor: string,
  details: Json,
): readonly Issue[] {
  if (!registry.has(executor)) {
    return [{ path: [], message: describeUnknown(executor, registry.names()) }];
  }
  const schema = registry.details(executor);
  const parsed = schema.safeParse(details);
  if (parsed.success) return [];
  return describeSchemaIssues(parsed.error, { schema, value: details, accepts: hasPlaceholder });
}

function hasPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}
