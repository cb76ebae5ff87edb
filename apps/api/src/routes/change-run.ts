import {
  type OpenTaskSelector,
  openTaskSelector,
  type WireChanged,
  wireAccepted,
  wireChanged,
} from '@runnel/client';
import { beingSubmitted, ConflictError, noSuchRun, type RunState } from '@runnel/core';
import {
  cancelRun,
  cancelTasks,
  type PauseAnswer,
  pauseParts,
  pauseRun,
  resumeParts,
  resumeRun,
} from '@runnel/engine';
import { readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { ZodOpenApiOperationObject } from 'zod-openapi';
import { inRedisOrElse } from '../archive/archived-runs.ts';
import { type ApiContext, baseUrl } from '../context.ts';
import { byParameter, readBy } from '../read-by.ts';
import { readSelector } from '../read-selector.ts';
import { flag, idPath, jsonOf, pathPart, type Route, readQuery } from '../route.ts';
import { runPath } from '../run-answer.ts';
import { sendAccepted } from './runs.ts';
import { readInfo } from './tasks.ts';

const query = z.strictObject({
  dryRun: flag.describe('Only say which tasks it would be about. Default false.'),
});

/** A change of a run, or of those of its tasks that the body names. */
interface Change {
  whole(context: ApiContext, id: string, by: string | null): Promise<WholeAnswer>;
  readonly parts: typeof cancelTasks;
}

interface WholeAnswer {
  readonly state: RunState;
  readonly isNew: boolean;
}

const cancel: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/cancel',
  operation: describe({
    operationId: 'cancelRun',
    summary: 'Cancel a run, or tasks of a run that goes on',
    done: 'It is being cancelled',
    undone: 'It was cancelled before, or no such task has not ended, or `dryRun`',
  }),
  handle: (...call) => change({ whole: cancelWhole, parts: cancelTasks }, ...call),
};

const pause: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/pause',
  operation: describe({
    operationId: 'pauseRun',
    summary: 'Pause a run, or classes or tasks of it: what runs goes on, nothing more starts',
    done: 'It is paused',
    undone: 'It was paused before, or no such task has not ended, or `dryRun`',
  }),
  handle: (...call) => change({ whole: setPaused(pauseRun), parts: pauseParts }, ...call),
};

const resume: Route = {
  method: 'post',
  path: '/api/v1/runs/{id}/resume',
  operation: describe({
    operationId: 'resumeRun',
    summary: 'Let a paused run, or paused classes or tasks of it, go on',
    done: 'It goes on',
    undone: 'It was not paused, or `dryRun`',
  }),
  handle: (...call) => change({ whole: setPaused(resumeRun), parts: resumeParts }, ...call),
};

function describe(about: {
  readonly operationId: string;
  readonly summary: string;
  readonly done: string;
  readonly undone: string;
}): ZodOpenApiOperationObject {
  const { operationId, summary, done, undone } = about;
  const content = jsonOf(z.union([wireAccepted, wireChanged]));
  return {
    ...{ operationId, summary },
    description: 'Without a body: the whole run. The body says which tasks.',
    requestParams: { path: idPath, query, header: byParameter },
    requestBody: { required: false, content: jsonOf(openTaskSelector) },
    responses: { '200': { description: undone, content }, '202': { description: done, content } },
  };
}

async function change(
  { whole, parts }: Change,
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const isDryRun = readQuery(query, request).dryRun === 'true';
  const by = readBy(request);
  const selector = await readSelector(context, request, openTaskSelector);
  const id = pathPart(request, 'id');
  if (isWhole(selector) && !isDryRun) {
    const answer = await context.fence.run(() => whole(context, id, by));
    sendAccepted(context, { request, response, id, ...answer });
    return;
  }
  const { redis, settings, clock } = context;
  const info = await readInfo(context, request);
  const { isNew, selected, running, classes } = await context.fence.run(() =>
    parts({ redis, now: clock.now(), by }, info, { selector, isDryRun }),
  );
  const { state } = await readRun(redis, settings.namespace, id);
  const url = `${baseUrl(context, request)}${runPath(id)}`;
  const answer: WireChanged = { id, url, state, selected, running, classes: [...classes] };
  response.status(isNew ? 202 : 200).json(answer);
}

function isWhole(selector: OpenTaskSelector): boolean {
  return Object.values(selector).every((one) => one === undefined);
}

async function cancelWhole(
  { redis, settings, clock, runs }: ApiContext,
  id: string,
  by: string | null,
): Promise<WholeAnswer> {
  const { isNew } = await inRedisOrElse(
    runs,
    id,
    () => cancelRun(redis, settings.namespace, id, clock.now(), by),
    () => ({ isNew: false }),
  );
  const { state } = await runs.read(id);
  if (!isNew && state !== 'running' && state !== 'cancelled') throw cannotCancel(id, state);
  return { state, isNew };
}

function setPaused(setWhole: typeof pauseRun): Change['whole'] {
  return async ({ redis, settings, clock, runs }, id, by) => {
    const answer = await inRedisOrElse<PauseAnswer>(
      runs,
      id,
      () => setWhole(redis, settings.namespace, id, clock.now(), by),
      ({ state }) => ({ isNew: false, state }),
    );
    if (answer.state !== 'running') throw cannotPause(id, answer);
    const { state } = await readRun(redis, settings.namespace, id);
    return { state, isNew: answer.isNew };
  };
}

function cannotPause(id: string, { state }: PauseAnswer): Error {
  if (state === null) return noSuchRun(id);
  if (state === 'submitting') return beingSubmitted(id);
  if (state === 'halting') return new ConflictError(`run ${id} is being ended early`);
  const why = state === 'created' ? 'has not been started' : `has ${state} already`;
  return new ConflictError(`run ${id} ${why}: there is nothing to pause or to resume`);
}

function cannotCancel(id: string, state: RunState): ConflictError {
  if (state === 'submitting') return beingSubmitted(id);
  return new ConflictError(`run ${id} has ${state} already: there is nothing to cancel`);
}

export const changeRoutes: readonly Route[] = [cancel, pause, resume];
