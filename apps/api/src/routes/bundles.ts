import { pipeline } from 'node:stream/promises';
import { type WireImported, wireImported } from '@runnel/client';
import { beingSubmitted, ConflictError, isFinalRunState } from '@runnel/core';
import { z } from 'zod';
import { readBundle } from '../bundle/read-bundle.ts';
import { writeBundle } from '../bundle/write-bundle.ts';
import { baseUrl } from '../context.ts';
import { readChunks } from '../read-body.ts';
import { linesFactor } from '../read-submission.ts';
import { RequestError } from '../request-error.ts';
import { idPath, jsonOf, pathPart, type Route } from '../route.ts';
import { openInfo, runPath } from '../run-answer.ts';

const ndjson = 'application/x-ndjson';

const exportRun: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/bundle',
  operation: {
    operationId: 'exportRun',
    summary: 'All of a run that has ended, as lines of JSON',
    requestParams: { path: idPath },
    responses: {
      '200': { description: 'The bundle', content: { [ndjson]: { schema: z.string() } } },
    },
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    const run = await context.runs.readHere(id);
    if (run.state === 'submitting') throw beingSubmitted(id);
    if (!isFinalRunState(run.state)) {
      throw new ConflictError(`run ${id} is ${run.state}: it can be exported when it has ended`);
    }
    const info = await openInfo(context, run);
    response.type(ndjson);
    response.setHeader('Content-Disposition', `attachment; filename="${id}.runnel.ndjson"`);
    await pipeline(writeBundle(context, { run, info, base: baseUrl(context, request) }), response);
  },
};

const importRun: Route = {
  method: 'post',
  path: '/api/v1/bundles',
  operation: {
    operationId: 'importRun',
    summary: 'Store the run of a bundle; under a new id where its own is taken',
    requestBody: { required: true, content: { [ndjson]: { schema: z.string() } } },
    responses: {
      '201': { description: 'Stored; `Location` names the run', content: jsonOf(wireImported) },
    },
  },
  async handle(context, request, response) {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== ndjson) throw new RequestError(415, `a bundle is sent as ${ndjson}`);
    const { settings, bodySilenceMs } = context;
    const maxBytes = settings.maxBodyBytes * linesFactor;
    await context.room.require(Number(request.headers['content-length'] ?? 0));
    const chunks = readChunks(request, { maxBytes, silenceMs: bodySilenceMs });
    const { id, originalId } = await context.fence.run(() => readBundle(context, chunks));
    const url = `${baseUrl(context, request)}${runPath(id)}`;
    const answer: WireImported = { id, originalId, url };
    response.status(201).location(runPath(id)).json(answer);
  },
};

export const bundleRoutes: readonly Route[] = [exportRun, importRun];
