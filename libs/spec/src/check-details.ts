import type { Json } from '@runnel/core';
import type { ExecutorCatalog } from './entries.ts';
import { type Entry, pathOf, taskName } from './entry.ts';
import type { IssueList, Path } from './issue-list.ts';
import { rowValues } from './table.ts';
import type { RenderContext } from './template.ts';

interface Context {
  readonly executors: ExecutorCatalog;
  readonly knownExecutors: ReadonlySet<string>;
  readonly run: { readonly name: string | null; readonly source: string | null };
  readonly issues: IssueList;
}

/** Asks the executor about the details of an entry's first task; outputs are not known yet. */
export function checkDetails(entry: Entry, context: Context): void {
  const { executor, kind } = entry.policy;
  if (kind !== 'task' || !entry.isSound || !context.knownExecutors.has(executor)) return;
  const details = renderFirst(entry, context);
  const unknown = entry.template?.outputPaths ?? [];
  for (const issue of context.executors.check(executor, details, entry.details)) {
    if (unknown.some((path) => isWithin(issue.path, path))) continue;
    const name = JSON.stringify(taskName(entry, 0));
    context.issues.add(
      pathOf(entry, 'details', ...issue.path),
      `task ${name}, executor ${executor}: ${issue.message}`,
    );
  }
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((part, index) => path[index] === part);
}

function renderFirst(entry: Entry, { run }: Context): Json {
  const { template, table } = entry;
  if (template === null) return entry.details;
  const context: RenderContext = {
    axes: table.columns.map((column) => column.name),
    values: rowValues(table, 0),
    run: { id: 'run', ...run },
    task: { id: taskName(entry, 0), attempt: 1 },
    outputs: {},
  };
  return template.renderWithoutOutputs(context);
}
