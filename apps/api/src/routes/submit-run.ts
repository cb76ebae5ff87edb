import { isAbsolute } from 'node:path';
import { type WireSubmitted, wireSubmitted, wireValidated } from '@runnel/client';
import { finishInTurns, type Plan } from '@runnel/core';
import { measurePlan } from '@runnel/planning';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { isFromHere } from '../access/hosts.ts';
import { type ApiContext, baseUrl } from '../context.ts';
import { byParameter, readBy } from '../read-by.ts';
import { keptBytes, readSubmission } from '../read-submission.ts';
import { RequestError } from '../request-error.ts';
import { flag, jsonOf, type Route, readQuery, sendJson } from '../route.ts';
import { runPath } from '../run-answer.ts';
import { storeSubmission } from '../store-submission.ts';
import { toWireIssue } from '../wire-issue.ts';

/** A run that is only created and never started is removed after this. */
const createdForMs = 24 * 3_600_000;

export const sourceParameter = z
  .string()
  .optional()
  .describe("The spec's folder, absolute, for `{{run.source}}`; from this machine only.");

const query = z.strictObject({
  dryRun: flag.describe('Only say what the spec would become. Default false.'),
  createdOnly: flag.describe('Create the run; start it later with `/submit`. Default false.'),
  source: sourceParameter,
});

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters without spaces')
  .optional()
  .describe('The same key with the same spec is the same run.');

const specBody = {
  schema: z.looseObject({}).meta({
    id: 'RunSpec',
    description: 'A run spec; `/schema/run-spec.json` has its schema.',
  }),
};

const linesBody = {
  schema: z.string().meta({
    description: 'The spec without its tasks on the first line, then one task a line.',
  }),
};

/** The forms in which a spec may come. */
export const specContent = {
  'application/json': specBody,
  'application/yaml': specBody,
  'application/x-yaml': specBody,
  'text/yaml': specBody,
  'application/x-ndjson': linesBody,
};

export const submitRunRoute: Route = {
  method: 'post',
  path: '/api/v1/runs',
  operation: {
    operationId: 'submitRun',
    summary: 'Submit a run',
    requestParams: { query, header: byParameter.extend({ 'Idempotency-Key': idempotencyKey }) },
    requestBody: {
      required: true,
      content: specContent,
    },
    responses: {
      '200': {
        description:
          'With `dryRun`: what the spec would become. Else: the run of an earlier request with the same key',
        content: jsonOf(z.union([wireValidated, wireSubmitted])),
      },
      '201': { description: 'Accepted; `Location` names the run', content: jsonOf(wireSubmitted) },
    },
  },
  handle: submit,
};

async function submit(context: ApiContext, request: Request, response: Response): Promise<void> {
  const options = readQuery(query, request);
  const source = readSource(request, options.source);
  const key = readKey(request);
  const by = readBy(request);
  const submission = await readSubmission(context, request, {
    source,
    isHashed: key !== undefined,
  });
  const { plan, warnings, spec } = submission;
  const wireWarnings = warnings.map(toWireIssue);
  if (options.dryRun === 'true') {
    const measures = await finishInTurns(measurePlan(plan, keptBytes(spec)));
    response.json({ name: plan.name, ...measures, warnings: wireWarnings });
    return;
  }
  const { runId, isNew } = await storeSubmission(context, submission, {
    ...{ source, by },
    ...(key === undefined ? {} : { idempotency: { client: 'api', key } }),
    ...(options.createdOnly === 'true' ? { createdForMs } : {}),
  });
  const url = `${baseUrl(context, request)}${runPath(runId)}`;
  const answer: WireSubmitted = { id: runId, url, tasks: countTasks(plan), warnings: wireWarnings };
  response.status(isNew ? 201 : 200).location(runPath(runId));
  sendJson(response, answer);
}

function countTasks(plan: Plan): number {
  return plan.nodeCount - plan.barrierCount;
}

/** A folder on the submitter's machine means something only where that is ours too. */
export function readSource(request: Request, source: string | undefined): string | null {
  if (source === undefined) return null;
  if (!isFromHere(request)) {
    throw new RequestError(
      400,
      'source: only a client on the machine of the API can name a folder',
      { code: 'SOURCE_NOT_LOCAL' },
    );
  }
  if (!isAbsolute(source)) throw new RequestError(400, 'source: must be an absolute path');
  return source;
}

export function readKey(request: Request): string | undefined {
  const parsed = idempotencyKey.safeParse(request.get('Idempotency-Key'));
  if (parsed.success) return parsed.data;
  throw new RequestError(400, `Idempotency-Key: ${parsed.error.issues[0]?.message ?? 'is wrong'}`);
}
