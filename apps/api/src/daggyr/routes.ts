import { z } from 'zod';
import { jsonOf, type Route, taskPath } from '../route.ts';
import { cancelNumberedRun, refuseReport, retryNumberedRun } from './change-run.ts';
import { sendRuns } from './list-runs.ts';
import { isReady, sendRunState, sendTask, sendTasks, sendWholeRun } from './read-run.ts';
import { submitDaggyrRun } from './submit.ts';

// Clients of DaggyR change their base URL to `/daggyr`. docs/migrating-from-daggyr.md has the rest.

const numberPath = z.object({ id: z.string().describe('The number of a run, or its id.') });
const runId = z.object({ run_id: z.number() });
const anything = z.looseObject({});
const summaries = z.array(z.object({ task_id: z.string(), state: z.string() }));
const filters = z.object({
  tags: z.string().optional().describe('`team:data`; several with commas, or repeated.'),
  states: z.string().optional().describe('Queued, Running, Errored, Completed, Killed.'),
  start_time: z.string().optional().describe('Created at or after this time.'),
  end_time: z.string().optional().describe('Created at or before this time.'),
});

export const daggyrRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/daggyr/ready',
    operation: {
      operationId: 'daggyrReady',
      summary: 'DaggyR: whether runs can be submitted and read',
      responses: { '200': { description: 'They can' } },
    },
    handle: isReady,
  },
  {
    method: 'post',
    path: '/daggyr/task/attempt',
    operation: {
      operationId: 'daggyrReport',
      summary: 'DaggyR: an attempt that somebody else made; always refused',
      responses: {},
    },
    handle: refuseReport,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs',
    operation: {
      operationId: 'daggyrListRuns',
      summary: 'DaggyR: list runs, by number',
      requestParams: { query: filters },
      responses: { '200': { description: 'Runs', content: jsonOf(z.array(anything)) } },
    },
    handle: sendRuns,
  },
  {
    method: 'post',
    path: '/daggyr/api/v1/runs',
    operation: {
      operationId: 'daggyrSubmitRun',
      summary: "DaggyR: submit a run in either of DaggyR's dialects",
      requestBody: { required: true, content: { 'application/json': { schema: anything } } },
      responses: { '200': { description: 'Accepted', content: jsonOf(runId) } },
    },
    handle: submitDaggyrRun,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs/{id}',
    operation: {
      operationId: 'daggyrGetRun',
      summary: 'DaggyR: the tasks of a run',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'Tasks and their states', content: jsonOf(summaries) } },
    },
    handle: sendTasks,
  },
  {
    method: 'delete',
    path: '/daggyr/api/v1/runs/{id}',
    operation: {
      operationId: 'daggyrKillRun',
      summary: 'DaggyR: kill a run',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'It is being killed, or has ended' } },
    },
    handle: cancelNumberedRun,
  },
  {
    method: 'patch',
    path: '/daggyr/api/v1/runs/{id}',
    operation: {
      operationId: 'daggyrRetryRun',
      summary: 'DaggyR: retry a run, picking up where it left off',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'It goes on, or is done', content: jsonOf(runId) } },
    },
    handle: retryNumberedRun,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs/{id}/state',
    operation: {
      operationId: 'daggyrGetState',
      summary: 'DaggyR: the state of a run, and since when',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'The state', content: jsonOf(anything) } },
    },
    handle: sendRunState,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs/{id}/full',
    operation: {
      operationId: 'daggyrGetFullRun',
      summary: 'DaggyR: a run with all tasks and attempts',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'The run', content: jsonOf(anything) } },
    },
    handle: sendWholeRun,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs/{id}/tasks',
    operation: {
      operationId: 'daggyrListTasks',
      summary: 'DaggyR: the tasks of a run',
      requestParams: { path: numberPath },
      responses: { '200': { description: 'Tasks and their states', content: jsonOf(summaries) } },
    },
    handle: sendTasks,
  },
  {
    method: 'get',
    path: '/daggyr/api/v1/runs/{id}/tasks/{task}',
    operation: {
      operationId: 'daggyrGetTask',
      summary: 'DaggyR: one task with its attempts',
      requestParams: { path: taskPath },
      responses: { '200': { description: 'The task', content: jsonOf(anything) } },
    },
    handle: sendTask,
  },
];
