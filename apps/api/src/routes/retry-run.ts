import { taskSelector, type WireRetried, wireRetried } from '@runnel/client';
import { retryRun } from '@runnel/engine';
import { readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
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
  handle: retry,
};

async function retry(context: ApiContext, request: Request, response: Response): Promise<void> {
  const { redis, settings, clock } = context;
  const { dryRun } = readQuery(query, request);
  const by = readBy(request);
  const selector = await readSelector(context, request, taskSelector);
  const id = pathPart(request, 'id');
  const info = await readInfo(context, request);
  const { isNew, reset, leftRunning, classes } = await context.fence.run(() =>
    retryRun({ redis, now: clock.now(), by }, info, { selector, isDryRun: dryRun === 'true' }),
  );
  const { state } = await readRun(redis, settings.namespace, id);
  const url = `${baseUrl(context, request)}${runPath(id)}`;
  const answer: WireRetried = { id, url, state, reset, leftRunning, classes: [...classes] };
  response.status(isNew ? 202 : 200).json(answer);
}
