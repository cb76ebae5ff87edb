import { type TaskSelector, taskSelector, type WireRetried, wireRetried } from '@runnel/client';
import { NotFoundError } from '@runnel/core';
import { retryRun } from '@runnel/engine';
import { type RunInfo, readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type ApiContext, baseUrl } from '../context.ts';
import { readSelector } from '../read-selector.ts';
import { flag, idPath, jsonOf, pathPart, type Route, readQuery } from '../route.ts';
import { runPath } from '../run-answer.ts';
import { readInfo } from './tasks.ts';

const query = z.strictObject({
  dryRun: flag.describe('Only say what would be brought back. Default false.'),
});

export const retryRunRoute: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/retry',
  operation: {
    operationId: 'retryRun',
    summary: 'Bring tasks back that have ended, with all that hangs on them',
    description:
      'Without a body: every task that failed or was cancelled. Past attempts are kept, and retries start anew.',
    requestParams: { path: idPath, query },
    requestBody: { required: false, content: jsonOf(taskSelector) },
    responses: {
      '200': {
        description: 'No such task has ended, or `dryRun`: nothing was changed',
        content: jsonOf(wireRetried),
      },
      '202': { description: 'The tasks are being brought back', content: jsonOf(wireRetried) },
    },
  },
  handle,
};

/** A run that was brought back from the archive is here to stay where something of it is retried. */
async function isNothingToRetry(
  context: ApiContext,
  id: string,
  info: RunInfo,
  selector: TaskSelector,
): Promise<boolean> {
  const { redis, clock } = context;
  if (!(await context.runs.read(id)).isArchived) return false;
  const request = { selector, isDryRun: true };
  const { reset, leftRunning } = await retryRun({ redis, now: clock.now() }, info, request);
  if (reset + leftRunning === 0) return true;
  await context.fence.run(() => context.runs.keep(id));
  return false;
}

async function handle(context: ApiContext, request: Request, response: Response): Promise<void> {
  const selector = await readSelector(context, request);
  try {
    await retry(context, request, response, selector);
  } catch (error: unknown) {
    if (!(error instanceof NotFoundError)) throw error;
    // It may have been moved to the archive while it was read here.
    const id = pathPart(request, 'id');
    if ((await context.runs.find(id)) === null) throw error;
    await retry(context, request, response, selector);
  }
}

async function retry(
  context: ApiContext,
  request: Request,
  response: Response,
  selector: TaskSelector,
): Promise<void> {
  const { redis, settings, clock } = context;
  const { dryRun } = readQuery(query, request);
  const id = pathPart(request, 'id');
  const info = await readInfo(context, request);
  const retrying = { redis, now: clock.now() };
  const isDryRun = dryRun === 'true' || (await isNothingToRetry(context, id, info, selector));
  const { isNew, reset, leftRunning, classes } = await context.fence.run(() =>
    retryRun(retrying, info, { selector, isDryRun }),
  );
  const { state } = await readRun(redis, settings.namespace, id);
  const url = `${baseUrl(context, request)}${runPath(id)}`;
  const answer: WireRetried = { id, url, state, reset, leftRunning, classes: [...classes] };
  response.status(isNew ? 202 : 200).json(answer);
}
