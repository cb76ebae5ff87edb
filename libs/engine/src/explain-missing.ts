import { type NotFoundError, noSuchTask, suggest } from '@runnel/core';
import { listTasks, type RedisClient, type RunInfo } from '@runnel/store';

/** So many tasks are looked through for one that may have been meant; it is a hint, not a search. */
const comparedTasks = 1_000;

/** That a run has no such task, and what may have been meant: the class of that name, or a like id. */
export async function explainMissing(
  redis: RedisClient,
  info: RunInfo,
  task: string | number,
): Promise<NotFoundError> {
  const run = info.facts.handle.id;
  const groups = await info.groups();
  const isClass = groups.some(({ kind, class: name }) => kind !== 'barrier' && name === task);
  const query = { from: 0, limit: isClass ? 1 : comparedTasks };
  const { tasks } = await listTasks(redis, info, isClass ? { ...query, class: `${task}` } : query);
  const [first] = tasks;
  if (isClass && first !== undefined) {
    const hint = `: that is a class; name one of its tasks, such as ${JSON.stringify(first.task.id)}`;
    return noSuchTask(run, task, hint);
  }
  const hint = suggest(
    String(task),
    tasks.map((one) => one.task.id),
  );
  return noSuchTask(run, task, hint);
}
