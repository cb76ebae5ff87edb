import { fromTaskId } from '@runnel/daggyr';
import type { RunInfo } from '@runnel/store';
import type { Response } from 'express';
import type { ApiContext } from '../context.ts';
import { changesOf } from './describe-run.ts';
import { describeTask } from './describe-task.ts';
import type { NumberedRun } from './numbered-run.ts';
import { pagesOfTasks, type TaskWithEntry, withEntries } from './pages-of-tasks.ts';
import { sendStream } from './send-stream.ts';

/** Tasks that are read side by side: each may have some MB of logs. */
const atOnce = 16;

/** A whole run with every task and attempt, sent while it is read. */
export async function sendFull(
  context: ApiContext,
  info: RunInfo,
  { run, response }: { readonly run: NumberedRun; readonly response: Response },
): Promise<void> {
  const changes = await changesOf(context, run.run);
  const head = JSON.stringify({
    run_id: run.number,
    tags: info.facts.tags,
    // Tasks are kept expanded.
    parameters: {},
    state_changes: changes,
  });
  await sendStream(response, joinRun(context, info, { run, head }));
}

async function* joinRun(
  context: ApiContext,
  info: RunInfo,
  { run, head }: { readonly run: NumberedRun; readonly head: string },
): AsyncGenerator<string> {
  yield `${head.slice(0, -1)},"tasks":{`;
  let between = '';
  for await (const page of pagesOfTasks(context, info)) {
    const tasks = await withEntries(context, info, page);
    for (let from = 0; from < tasks.length; from += atOnce) {
      const some = tasks.slice(from, from + atOnce);
      const texts = await Promise.all(some.map((task) => toField(context, info, { task, run })));
      yield between + texts.join(',');
      between = ',';
    }
  }
  yield '}}';
}

async function toField(
  context: ApiContext,
  info: RunInfo,
  { task, run }: { readonly task: TaskWithEntry; readonly run: NumberedRun },
): Promise<string> {
  const name = fromTaskId(task.summary.task.id);
  const described = await describeTask(context, info, { ...task, run });
  return `${JSON.stringify(name)}:${JSON.stringify(described)}`;
}
