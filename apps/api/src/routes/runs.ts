import { type WireAccepted, wireAccepted, wireRun } from '@runnel/client';
import {
  beingSubmitted,
  ConflictError,
  isFinalRunState,
  noSuchRun,
  type RunState,
} from '@runnel/core';
import { cancelRun, type PauseAnswer, pauseRun, resumeRun, startCreatedRun } from '@runnel/engine';
import { deleteRun, openSpec, readRun, readRuns } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { inRedisOrElse } from '../archive/archived-runs.ts';
import { type ApiContext, baseUrl } from '../context.ts';
import { idPath, jsonOf, pathPart, type Route } from '../route.ts';
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
    requestParams: { path: idPath },
    responses: { '204': { description: 'Deleted' } },
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    const { redis, settings, runs } = context;
    const [live] = await readRuns(redis, settings.namespace, [id]);
    const isHere = live !== undefined && !live.isArchived;
    if (isHere && !isFinalRunState(live.state)) throw cannotDelete(id, live.state);
    // An older copy goes first: one that stayed would be taken for the run.
    const wasArchived = await runs.remove(id);
    if (isHere || !wasArchived)
      await deleteRun(
        redis,
        settings.namespace,
        id,
        context.archive === null ? undefined : context.clock.now(),
      );
    context.infos.forget(id);
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
    await context.runs.readHere(id);
    await sendSpec(await openSpec(context.redis, context.settings.namespace, id), response);
  },
};

const start: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/submit',
  operation: {
    operationId: 'startRun',
    summary: 'Start a run that was only created',
    requestParams: { path: idPath },
    responses: {
      '200': { description: 'It had started before', content: jsonOf(wireAccepted) },
      '202': { description: 'Started', content: jsonOf(wireAccepted) },
    },
  },
  async handle(context, request, response) {
    const { redis, settings, clock } = context;
    const { namespace } = settings;
    const id = pathPart(request, 'id');
    const { state } = await context.runs.read(id);
    if (isFinalRunState(state)) {
      sendAccepted(context, { request, response, id, state, isNew: false });
      return;
    }
    if (state === 'submitting') throw beingSubmitted(id);
    if (state === 'created') {
      const storing = { redis, namespace, now: clock.now() };
      await context.fence.run(() => startCreatedRun(storing, id));
    }
    const now = await readRun(redis, namespace, id);
    sendAccepted(context, { request, response, id, state: now.state, isNew: state === 'created' });
  },
};

const cancel: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/cancel',
  operation: {
    operationId: 'cancelRun',
    summary: 'Cancel a run',
    requestParams: { path: idPath },
    responses: {
      '200': { description: 'It was cancelled before', content: jsonOf(wireAccepted) },
      '202': { description: 'It is being cancelled', content: jsonOf(wireAccepted) },
    },
  },
  async handle(context, request, response) {
    const { redis, settings, clock } = context;
    const id = pathPart(request, 'id');
    const { isNew } = await inRedisOrElse(
      context.runs,
      id,
      () => context.fence.run(() => cancelRun(redis, settings.namespace, id, clock.now())),
      () => ({ isNew: false }),
    );
    const { state } = await context.runs.read(id);
    if (!isNew && state !== 'running' && state !== 'cancelled') throw cannotCancel(id, state);
    sendAccepted(context, { request, response, id, state, isNew });
  },
};

const pause: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/pause',
  operation: {
    operationId: 'pauseRun',
    summary: 'Pause a run: what runs goes on, nothing more starts',
    requestParams: { path: idPath },
    responses: {
      '200': { description: 'It was paused before', content: jsonOf(wireAccepted) },
      '202': { description: 'It is paused', content: jsonOf(wireAccepted) },
    },
  },
  handle: (context, request, response) => setPaused(context, request, response, pauseRun),
};

const resume: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/resume',
  operation: {
    operationId: 'resumeRun',
    summary: 'Let a paused run go on',
    requestParams: { path: idPath },
    responses: {
      '200': { description: 'It was not paused', content: jsonOf(wireAccepted) },
      '202': { description: 'It goes on', content: jsonOf(wireAccepted) },
    },
  },
  handle: (context, request, response) => setPaused(context, request, response, resumeRun),
};

async function setPaused(
  context: ApiContext,
  request: Request,
  response: Response,
  change: typeof pauseRun,
): Promise<void> {
  const { redis, settings, clock } = context;
  const id = pathPart(request, 'id');
  const answer = await inRedisOrElse<PauseAnswer>(
    context.runs,
    id,
    () => context.fence.run(() => change(redis, settings.namespace, id, clock.now())),
    ({ state }) => ({ isNew: false, state }),
  );
  if (answer.state !== 'running') throw cannotPause(id, answer);
  const { state } = await readRun(redis, settings.namespace, id);
  sendAccepted(context, { request, response, id, state, isNew: answer.isNew });
}

function cannotPause(id: string, { state }: PauseAnswer): Error {
  if (state === null) return noSuchRun(id);
  if (state === 'submitting') return beingSubmitted(id);
  if (state === 'halting') return new ConflictError(`run ${id} is being ended early`);
  const why = state === 'created' ? 'has not been started' : `has ${state} already`;
  return new ConflictError(`run ${id} ${why}: there is nothing to pause or to resume`);
}

function cannotDelete(id: string, state: RunState): ConflictError {
  return new ConflictError(`run ${id} is ${state}: cancel it before it is deleted`);
}

function cannotCancel(id: string, state: RunState): ConflictError {
  if (state === 'submitting') return beingSubmitted(id);
  return new ConflictError(`run ${id} has ${state} already: there is nothing to cancel`);
}

function sendAccepted(
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

export const runRoutes: readonly Route[] = [read, remove, spec, start, cancel, pause, resume];
