import { fates, mostClasses, type WireEdited, wireEdited } from '@runnel/client';
import { type EditAnswer, editRun, type NewRevision, previewEdit } from '@runnel/engine';
import { estimateBytes, type RunInfo, readRun } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type ApiContext, baseUrl } from '../context.ts';
import { requireRevision } from '../if-match.ts';
import { byParameter, readBy } from '../read-by.ts';
import { keptBytes, readSubmission } from '../read-submission.ts';
import {
  cursorParameter,
  decodeCursor,
  encodeCursor,
  flag,
  idPath,
  jsonOf,
  pageSize,
  pathPart,
  type Route,
  readQuery,
} from '../route.ts';
import { runPath } from '../run-answer.ts';
import { toWireIssue } from '../wire-issue.ts';
import { readSource, sourceParameter, specContent } from './submit-run.ts';
import { readInfo } from './tasks.ts';

const query = z.strictObject({
  dryRun: flag.describe('Only say what would become of each task. Default false.'),
  source: sourceParameter,
  list: flag.describe('List tasks, all but those that keep their result. Default false.'),
  fate: z.enum(fates).optional().describe('With `list`: only tasks with this fate.'),
  limit: pageSize(1_000, 100),
  cursor: cursorParameter,
});
const position = z.tuple([z.int().nonnegative()]);

export const editRunRoute: Route = {
  method: 'put',
  path: '/api/v1/runs/{id}/spec',
  operation: {
    operationId: 'editRun',
    summary: 'Give a run another spec; unchanged tasks keep their results',
    requestParams: {
      path: idPath,
      query,
      header: byParameter.extend({
        'If-Match': z.string().optional().describe('The ETag of the spec that was changed, or *.'),
      }),
    },
    requestBody: { required: true, content: specContent },
    responses: {
      '200': { description: 'With `dryRun`: what it would do', content: jsonOf(wireEdited) },
      '202': { description: 'The run has the new spec and goes on', content: jsonOf(wireEdited) },
    },
  },
  handle: edit,
};

async function edit(context: ApiContext, request: Request, response: Response): Promise<void> {
  const options = readQuery(query, request);
  const id = pathPart(request, 'id');
  const isDryRun = options.dryRun === 'true';
  const { facts } = await readInfo(context, request);
  if (!isDryRun || request.get('If-Match') !== undefined) {
    requireRevision(request, id, facts.revision);
  }
  const source = readSource(request, options.source) ?? facts.source;
  const submission = await readSubmission(context, request, { source, isHashed: false });
  // The body took its time: the run may have been edited since.
  const info = await readInfo(context, request);
  const { limit = 100, cursor, fate } = options;
  const [after] = cursor === undefined ? [0] : decodeCursor(position, cursor);
  const list = options.list === 'true' ? { limit, after, fate } : undefined;
  const change = { ...submission, source, list, by: readBy(request) };
  const answer = isDryRun
    ? await previewEdit(context.redis, info, change)
    : await make(context, info, change);
  const { state, facts: now } = await readRun(context.redis, context.settings.namespace, id);
  const wire: WireEdited = {
    id,
    url: `${baseUrl(context, request)}${runPath(id)}`,
    state,
    revision: now.revision,
    ...toWire(answer),
    warnings: submission.warnings.map(toWireIssue),
  };
  response.status(isDryRun ? 200 : 202).json(wire);
}

async function make(context: ApiContext, info: RunInfo, change: NewRevision): Promise<EditAnswer> {
  const { redis, executors, clock, fence, room, runs, logger } = context;
  const { plan, spec } = change;
  await room.require(estimateBytes(plan, keptBytes(spec)));
  // One of the archive is here to stay from now on.
  await fence.run(() => runs.keep(info.facts.handle.id));
  const done = await fence.run(() =>
    editRun({ redis, executors, now: () => clock.now() }, info, change),
  );
  context.infos.forget(info.facts.handle.id);
  const { frozenMs, rerun, new: added, removed } = done;
  logger.info({ run: info.facts.handle.id, frozenMs, rerun, new: added, removed }, 'edited');
  return done;
}

type Counted = Omit<WireEdited, 'id' | 'url' | 'state' | 'revision' | 'warnings'>;

function toWire(answer: EditAnswer): Counted {
  const { classes, tasks, next, reused, kept, rerun, new: added, removed } = answer;
  const counts = { reused, kept, rerun, new: added, removed };
  const classesOmitted = classes.length > mostClasses;
  return {
    ...counts,
    classes: classesOmitted ? [] : classes.map((one) => ({ ...one, reasons: { ...one.reasons } })),
    classesOmitted,
    tasks: [...tasks],
    next: next === null ? null : encodeCursor([next]),
  };
}
