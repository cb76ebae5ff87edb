import { type TaskSelector, taskSelector, type WireRetried, wireRetried } from '@runnel/client';
import { NotFoundError } from '@runnel/core';
import { readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { retryAnywhere } from '../archive/retry-anywhere.ts';
import { type ApiContext, baseUrl } from '../context.ts';
import { byParameter, readBy } from '../read-by.ts';
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
    requestParams: { path: idPath, query, header: byParameter },
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

async function handle(context: ApiContext, request: Request, response: Response): Promise<void> {
  const selector = await readSelector(context, request, taskSelector);
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
  const { redis, settings } = context;
  const { dryRun } = readQuery(query, request);
  const by = readBy(request);
  const id = pathPart(request, 'id');
  const info = await readInfo(context, request);
  const { isNew, reset, leftRunning, classes } = await retryAnywhere(context, info, {
    ...{ selector, by },
    isDryRun: dryRun === 'true',
  });
  const { state } = await readRun(redis, settings.namespace, id);
  const url = `${baseUrl(context, request)}${runPath(id)}`;
  const answer: WireRetried = { id, url, state, reset, leftRunning, classes: [...classes] };
  response.status(isNew ? 202 : 200).json(answer);
}
