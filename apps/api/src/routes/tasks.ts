import { wireTask, wireTaskPage } from '@runnel/client';
import { beingSubmitted, noSuchClass, taskStates } from '@runnel/core';
import { explainMissing } from '@runnel/engine';
import { findTask, listTasks, type RunInfo } from '@runnel/store';
import type { Request } from 'express';
import { z } from 'zod';
import { type ApiContext, baseUrl } from '../context.ts';
import {
  cursorParameter,
  decodeCursor,
  encodeCursor,
  idPath,
  jsonOf,
  pageSize,
  pathPart,
  type Route,
  readQuery,
  taskPath,
} from '../route.ts';
import { openInfo } from '../run-answer.ts';
import { toWireTask, toWireTasks } from '../task-answer.ts';

const listQuery = z.strictObject({
  class: z.string().optional().describe('Tasks of this class only.'),
  state: z.enum(taskStates).optional(),
  limit: pageSize(1_000, 100),
  cursor: cursorParameter,
});
const position = z.tuple([z.int().nonnegative()]);

const list: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/tasks',
  operation: {
    operationId: 'listTasks',
    summary: 'List tasks of a run',
    requestParams: { path: idPath, query: listQuery },
    responses: { '200': { description: 'A page of tasks', content: jsonOf(wireTaskPage) } },
  },
  async handle(context, request, response) {
    const { class: name, state, limit = 100, cursor } = readQuery(listQuery, request);
    const [from] = cursor === undefined ? [0] : decodeCursor(position, cursor);
    const info = await readInfo(context, request);
    if (name !== undefined) await requireClass(info, name);
    const page = await listTasks(context.redis, info, {
      from,
      limit,
      ...(name === undefined ? {} : { class: name }),
      ...(state === undefined ? {} : { state }),
    });
    response.json({
      tasks: await toWireTasks(context, info, page.tasks),
      next: page.next === null ? null : encodeCursor([page.next]),
    });
  },
};

const read: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/tasks/{task}',
  operation: {
    operationId: 'getTask',
    summary: 'Everything about one task',
    requestParams: { path: taskPath },
    responses: { '200': { description: 'The task', content: jsonOf(wireTask) } },
  },
  async handle(context, request, response) {
    const { info, number } = await readTaskPlace(context, request);
    const base = baseUrl(context, request);
    response.json(await toWireTask(context, info, { number, base }));
  },
};

/** The run that the path names, with its kept parts. */
export async function readInfo(context: ApiContext, request: Request): Promise<RunInfo> {
  const id = pathPart(request, 'id');
  const run = await context.runs.readHere(id);
  if (run.state === 'submitting') throw beingSubmitted(id);
  return openInfo(context, run);
}

/** The task that the path names, by its id or its number. */
export async function readTaskPlace(
  context: ApiContext,
  request: Request,
): Promise<{ readonly info: RunInfo; readonly number: number }> {
  const info = await readInfo(context, request);
  const task = pathPart(request, 'task');
  const number = await findTask(context.redis, info, task);
  if (number !== null) return { info, number };
  throw await explainMissing(context.redis, info, task);
}

async function requireClass(info: RunInfo, name: string): Promise<void> {
  const groups = await info.groups();
  const names = groups.filter(({ kind }) => kind !== 'barrier').map((group) => group.class);
  if (!names.includes(name)) throw noSuchClass(info.facts.handle.id, name, names);
}

export const taskRoutes: readonly Route[] = [list, read];
