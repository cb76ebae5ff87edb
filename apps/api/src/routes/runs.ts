import { type WireAccepted, wireAccepted, wireRun } from '@runnel/client';
import { beingSubmitted, isFinalRunState, type RunState } from '@runnel/core';
import { startCreatedRun } from '@runnel/engine';
import { openSpec, readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { deleteAnywhere } from '../archive/delete-anywhere.ts';
import { type ApiContext, baseUrl } from '../context.ts';
import { revisionTag } from '../if-match.ts';
import { byParameter, readBy } from '../read-by.ts';
import { idPath, jsonOf, pathPart, type Route, readQuery } from '../route.ts';
import { runPath, toWireArchivedRun, toWireRun } from '../run-answer.ts';
import { sendSpec } from '../send-spec.ts';

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
    const id = pathPart(request, 'id');
    const base = baseUrl(context, request);
    const run = await context.runs.read(id);
    const kept = run.isArchived ? await context.runs.find(id) : null;
    if (kept !== null) response.json(toWireArchivedRun(run, kept.run.classes, base));
    else response.json(await toWireRun(context, run, base));
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
    await deleteAnywhere(context, id);
    context.infos.forget(id);
    // Nothing of the run is left that could tell.
    context.logger.info({ run: id, by }, 'deleted');
    response.status(204).end();
  },
};

const specQuery = z.strictObject({
  revision: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be the number of a revision, from 1')
    .transform(Number)
    .optional()
    .describe('An earlier revision. Default: the one that the run has.'),
});

const spec: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/spec',
  operation: {
    operationId: 'getSpec',
    summary: 'The spec as it was submitted, as JSON; its ETag is needed to edit it',
    description: 'A spec that came line by line is given so to who accepts application/x-ndjson.',
    requestParams: { path: idPath, query: specQuery },
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
    const { revision } = readQuery(specQuery, request);
    await context.runs.readHere(id);
    const spec = await openSpec(context.redis, context.settings.namespace, id, revision);
    response.setHeader('ETag', revisionTag(spec.revision));
    await sendSpec(spec, response);
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
    const { state } = await context.runs.read(id);
    if (isFinalRunState(state)) {
      sendAccepted(context, { request, response, id, state, isNew: false });
      return;
    }
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

export const runRoutes: readonly Route[] = [read, remove, spec, start];
