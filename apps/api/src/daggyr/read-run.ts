import { beingSubmitted, noSuchTask } from '@runnel/core';
import { fromTaskId, toTaskId, toTaskState } from '@runnel/daggyr';
import {
  findTask,
  openStore,
  type RunInfo,
  readStates,
  summarize,
  type TaskSummary,
} from '@runnel/store';
import type { Request, Response } from 'express';
import type { ApiContext } from '../context.ts';
import { pathPart } from '../route.ts';
import { openInfo } from '../run-answer.ts';
import { changesOf } from './describe-run.ts';
import { describeTask } from './describe-task.ts';
import { type NumberedRun, readNumberedRun } from './numbered-run.ts';
import { pagesOfTasks, withEntries } from './pages-of-tasks.ts';
import { sendFull } from './send-full.ts';
import { joinList, sendStream } from './send-stream.ts';

export async function isReady(
  { redis, settings }: ApiContext,
  _request: Request,
  response: Response,
): Promise<void> {
  await openStore(redis, settings.namespace);
  response.status(200).end();
}

export async function sendRunState(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { run } = await readNumberedRun(context, request);
  response.json((await changesOf(context, run)).at(-1));
}

export async function sendTasks(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { info } = await openRun(context, request);
  await sendStream(response, joinList(describeStates(context, info)));
}

async function* describeStates(
  context: ApiContext,
  info: RunInfo,
): AsyncGenerator<readonly { readonly task_id: string; readonly state: string }[]> {
  for await (const page of pagesOfTasks(context, info)) {
    yield page.map(({ task, state }) => ({
      task_id: fromTaskId(task.id),
      state: toTaskState(state),
    }));
  }
}

export async function sendWholeRun(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { run, info } = await openRun(context, request);
  await sendFull(context, info, { run, response });
}

export async function sendTask(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { run, info } = await openRun(context, request);
  const number = await findByName(context, info, pathPart(request, 'task'));
  const [task] = await withEntries(context, info, [await readSummary(context, info, number)]);
  if (task === undefined) throw new Error(`task ${number} could not be read`);
  response.json(await describeTask(context, info, { ...task, run }));
}

/** A run that can be read: its submission is over. */
export async function openRun(
  context: ApiContext,
  request: Request,
): Promise<{ readonly run: NumberedRun; readonly info: RunInfo }> {
  const run = await readNumberedRun(context, request);
  if (run.run.state === 'submitting') throw beingSubmitted(run.run.facts.handle.id);
  return { run, info: await openInfo(context, run.run) };
}

/** By the name that it has in DaggyR, by its id, or by its place in the run. */
async function findByName({ redis }: ApiContext, info: RunInfo, name: string): Promise<number> {
  const id = toTaskId(name);
  const found =
    (await findTask(redis, info, id)) ?? (id === name ? null : await findTask(redis, info, name));
  if (found !== null) return found;
  throw noSuchTask(info.facts.handle.id, name);
}

async function readSummary(
  { redis }: ApiContext,
  info: RunInfo,
  number: number,
): Promise<TaskSummary> {
  const states = await readStates(redis, info, number, number + 1);
  const [summary] = await summarize(redis, info, [{ number, state: states.stateOf(number) }]);
  if (summary === undefined) throw new Error(`task ${number} could not be read`);
  return summary;
}
