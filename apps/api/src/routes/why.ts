import { wireWhy } from '@runnel/client';
import { idPath, jsonOf, pathPart, type Route, taskPath } from '../route.ts';
import { askWhyRun, askWhyTask } from '../why.ts';
import { readTaskPlace } from './tasks.ts';

const responses = { '200': { description: 'The reasons', content: jsonOf(wireWhy) } };

const run: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/why',
  operation: {
    operationId: 'whyRun',
    summary: 'What a run waits for, or why it ended as it did',
    requestParams: { path: idPath },
    responses,
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    await context.runs.readHere(id);
    response.json(await askWhyRun(context, id));
  },
};

const task: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/tasks/{task}/why',
  operation: {
    operationId: 'whyTask',
    summary: 'What a task waits for, or why it ended as it did, down to the first cause',
    requestParams: { path: taskPath },
    responses,
  },
  async handle(context, request, response) {
    const { info, number } = await readTaskPlace(context, request);
    response.json(await askWhyTask(context, info, number));
  },
};

export const whyRoutes: readonly Route[] = [run, task];
