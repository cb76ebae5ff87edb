import { type WireAccepted, wireAccepted, wireRun, wireRunPage } from '@runnel/client';
import { beingSubmitted, type RunState, runStates } from '@runnel/core';
import { startCreatedRun } from '@runnel/engine';
import { deleteRun, listRuns, openSpec, readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type ApiContext, baseUrl } from '../context.ts';
import { byParameter, readBy } from '../read-by.ts';
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
import { runPath, toWireRun, toWireRunSummary } from '../run-answer.ts';
import { sendSpec } from '../send-spec.ts';

const time = z
  .string()
  .pipe(z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T08:00:00Z' }))
  .transform((text) => Date.parse(text))
  .optional()
  .meta({ override: { type: 'string', format: 'date-time' } });

const listQuery = z.strictObject({
  state: z.enum(runStates).optional(),
  since: time.describe('Created at or after this time.'),
  until: time.describe('Created at or before this time.'),
  limit: pageSize(200, 50),
  cursor: cursorParameter,
});
const position = z.tuple([z.number(), z.string()]);

const list: Route = {
  method: 'get',
  path: '/api/v1/runs',
  operation: {
    operationId: 'listRuns',
    summary: 'List runs, newest first',
    requestParams: { query: listQuery },
    responses: { '200': { description: 'A page of runs', content: jsonOf(wireRunPage) } },
  },
  async handle(context, request, response) {
    const { state, since, until, limit = 50, cursor } = readQuery(listQuery, request);
    const after = cursor === undefined ? undefined : decodeCursor(position, cursor);
    const page = await listRuns(context.redis, context.settings.namespace, {
      limit,
      ...(state === undefined ? {} : { state }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      ...(after === undefined ? {} : { after: { createdAt: after[0], id: after[1] } }),
    });
    const base = baseUrl(context, request);
    response.json({
      runs: page.runs.map((run) => toWireRunSummary(run, base)),
      next: page.next === null ? null : encodeCursor([page.next.createdAt, page.next.id]),
    });
  },
};

const read: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}',
  operation: {
    operationId: 'getRun',
    summary: 'A run as it stands',
    requestParams: { path: idPath },
    responses: { '200': { description: 'The run', content: jsonOf(wireRun) } },
  },
  async handle(context, request, response) {
    const run = await readRun(context.redis, context.settings.namespace, pathPart(request, 'id'));
    response.json(await toWireRun(context, run, baseUrl(context, request)));
  },
};

const remove: Route = {
  method: 'delete',
  path: '/api/v1/runs/{id}',
  operation: {
    operationId: 'deleteRun',
    summary: 'Delete a run that has ended',
    requestParams: { path: idPath, header: byParameter },
    responses: { '204': { description: 'Deleted' } },
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    const by = readBy(request);
    await deleteRun(context.redis, context.settings.namespace, id);
    context.infos.forget(id);
    // Nothing of the run is left that could tell.
    context.logger.info({ run: id, by }, 'deleted');
    response.status(204).end();
  },
};

const spec: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/spec',
  operation: {
    operationId: 'getSpec',
    summary: 'The spec as it was submitted, as JSON',
    description: 'A spec that came line by line is given so to who accepts application/x-ndjson.',
    requestParams: { path: idPath },
    responses: {
      '200': {
        description: 'The spec',
        content: {
          ...jsonOf(z.looseObject({})),
          'application/x-ndjson': { schema: z.string() },
        },
      },
    },
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    await sendSpec(await openSpec(context.redis, context.settings.namespace, id), response);
  },
};

const start: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/submit',
  operation: {
    operationId: 'startRun',
    summary: 'Start a run that was only created',
    requestParams: { path: idPath, header: byParameter },
    responses: {
      '200': { description: 'It had started before', content: jsonOf(wireAccepted) },
      '202': { description: 'Started', content: jsonOf(wireAccepted) },
    },
  },
  async handle(context, request, response) {
    const { redis, settings, clock } = context;
    const { namespace } = settings;
    const id = pathPart(request, 'id');
    const by = readBy(request);
    const { state } = await readRun(redis, namespace, id);
    if (state === 'submitting') throw beingSubmitted(id);
    if (state === 'created') {
      const storing = { redis, namespace, now: clock.now(), by };
      await context.fence.run(() => startCreatedRun(storing, id));
    }
    const now = await readRun(redis, namespace, id);
    sendAccepted(context, { request, response, id, state: now.state, isNew: state === 'created' });
  },
};

/** Answers a change of a whole run. */
export function sendAccepted(
  context: ApiContext,
  answer: {
    readonly request: Request;
    readonly response: Response;
    readonly id: string;
    readonly state: RunState;
    readonly isNew: boolean;
  },
): void {
  const { request, response, id, state, isNew } = answer;
  const accepted: WireAccepted = {
    id,
    url: `${baseUrl(context, request)}${runPath(id)}`,
    state,
  };
  response.status(isNew ? 202 : 200).json(accepted);
}

export const runRoutes: readonly Route[] = [list, read, remove, spec, start];
