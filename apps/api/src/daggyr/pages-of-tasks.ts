import type { JsonObject } from '@runnel/core';
import {
  entriesPerPage,
  listTasks,
  type RunInfo,
  readEntryPage,
  type TaskSummary,
} from '@runnel/store';
import type { ApiContext } from '../context.ts';

/** A task with its text, where the run came task by task. */
export interface TaskWithEntry {
  readonly summary: TaskSummary;
  readonly entry: JsonObject | null;
}

/** The tasks of a run, page by page: no more than one page is held. */
export async function* pagesOfTasks(
  { redis }: ApiContext,
  info: RunInfo,
): AsyncGenerator<readonly TaskSummary[]> {
  let from: number | null = 0;
  while (from !== null) {
    const page: Awaited<ReturnType<typeof listTasks>> = await listTasks(redis, info, {
      from,
      limit: entriesPerPage,
    });
    yield page.tasks;
    from = page.next;
  }
}

/** The text of each of these tasks; they are in id order. */
export async function withEntries(
  { redis }: ApiContext,
  info: RunInfo,
  tasks: readonly TaskSummary[],
): Promise<readonly TaskWithEntry[]> {
  const pages = new Map<number, readonly JsonObject[] | null>();
  for (const { task } of tasks) {
    const page = Math.floor(task.number / entriesPerPage);
    if (!pages.has(page)) pages.set(page, await readEntryPage(redis, info, page));
  }
  return tasks.map((summary) => {
    const { number } = summary.task;
    const entry = pages.get(Math.floor(number / entriesPerPage))?.[number % entriesPerPage];
    return { summary, entry: entry !== undefined && isOf(entry, summary) ? entry : null };
  });
}

/** Generated tasks lie behind those that were sent, and have no text of their own. */
function isOf(entry: JsonObject, { task }: TaskSummary): boolean {
  const { id, class: name } = entry;
  return name === task.group.class && (id === undefined || id === task.id);
}
