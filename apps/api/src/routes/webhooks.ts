import {
  type WireFailedWebhook,
  type WireRunWebhook,
  wireFailedWebhook,
  wireFailedWebhooks,
  wireRunWebhooks,
} from '@runnel/client';
import { defaultHookWords, NotFoundError, noSuchRun } from '@runnel/core';
import {
  type FailedHook,
  type HookLane,
  listFailedHooks,
  readFailedHook,
  readHookStanding,
  retryFailedHook,
} from '@runnel/store';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
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
} from '../route.ts';
import { toIso } from '../run-answer.ts';

const listQuery = z.strictObject({ limit: pageSize(200, 50), cursor: cursorParameter });
const position = z.tuple([z.number(), z.number(), z.number()]);

const ofRun: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/webhooks',
  operation: {
    operationId: 'getWebhooks',
    summary: 'How far the webhooks of a run have got',
    requestParams: { path: idPath },
    responses: { '200': { description: 'The webhooks', content: jsonOf(wireRunWebhooks) } },
  },
  async handle({ redis, settings, runs }, request, response) {
    const id = pathPart(request, 'id');
    await runs.readHere(id);
    const standing = await readHookStanding(redis, settings.namespace, id);
    if (standing === null) throw noSuchRun(id);
    response.json({ lastEvent: standing.last, webhooks: standing.lanes.map(toWireRunWebhook) });
  },
};

const listFailed: Route = {
  method: 'get',
  path: '/api/v1/webhooks/failed',
  operation: {
    operationId: 'listFailedWebhooks',
    summary: 'What webhooks have given up, newest first',
    requestParams: { query: listQuery },
    responses: { '200': { description: 'A page', content: jsonOf(wireFailedWebhooks) } },
  },
  async handle({ redis, settings }, request, response) {
    const { limit = 50, cursor } = readQuery(listQuery, request);
    const { failed, next } = await listFailedHooks(redis, settings.namespace, {
      limit,
      ...(cursor === undefined ? {} : { after: decodeCursor(position, cursor) }),
    });
    response.json({
      failed: failed.map(toWireFailed),
      next: next === null ? null : encodeCursor(next),
    });
  },
};

const retryFailed: Route = {
  method: 'post',
  path: '/api/v1/webhooks/failed/{failed}/retry',
  operation: {
    operationId: 'retryWebhook',
    summary: 'Send again what a webhook has given up',
    requestParams: {
      path: z.object({ failed: z.string().describe('An `id` of the list.') }),
    },
    responses: {
      '202': { description: 'It is being sent again', content: jsonOf(wireFailedWebhook) },
    },
  },
  async handle(context, request, response) {
    const { redis, settings, clock } = context;
    const { failed } = request.params;
    const id = typeof failed === 'string' ? failed : '';
    const { namespace } = settings;
    const found = await readFailedHook(redis, namespace, id);
    if (found !== null) await bringBack(context, found.runId);
    const answer = await retryFailedHook(redis, namespace, { id, now: clock.now() });
    switch (answer.kind) {
      case 'begun':
        response.status(202).json(toWireFailed(answer.failed));
        return;
      case 'removed':
        throw new NotFoundError(
          `run ${answer.failed.runId} has been deleted, and its events with it: nothing is left to be sent`,
        );
      default:
        throw new NotFoundError(
          `no failed webhook has the id ${JSON.stringify(id)}; it may be on its way again`,
        );
    }
  },
};

/** What it is told is read from its feed, which may be in the archive. */
async function bringBack({ runs, fence }: ApiContext, runId: string): Promise<void> {
  try {
    const { isArchived } = await runs.readHere(runId);
    if (isArchived) await fence.run(() => runs.keep(runId));
  } catch (error: unknown) {
    // Deleted: the retry says so.
    if (!(error instanceof NotFoundError)) throw error;
  }
}

function toWireFailed({
  id,
  runId,
  hook,
  url,
  after,
  until,
  ...rest
}: FailedHook): WireFailedWebhook {
  const { tries, firstAt, at, error } = rest;
  return {
    ...{ id, run: runId, webhook: hook, url, after, until, tries },
    ...{ since: toIso(firstAt), givenUpAt: toIso(at), error },
  };
}

function toWireRunWebhook({ number, webhook, state }: HookLane): WireRunWebhook {
  const { after, until, closed, plan } = state;
  return {
    ...{ webhook: number, url: webhook.url, on: [...(webhook.on ?? defaultHookWords)] },
    classes: webhook.classes ?? null,
    secret: webhook.secret?.secret ?? null,
    ...{ after, until, isClosed: closed, tries: plan?.tries ?? 0 },
    nextTryAt: plan === null ? null : toIso(plan.dueAt),
    error: plan?.error ?? null,
  };
}

export const webhookRoutes: readonly Route[] = [ofRun, listFailed, retryFailed];
