import { type WireRevisions, wireRevisions } from '@runnel/client';
import { readRevisions } from '@runnel/store';
import { idPath, jsonOf, pathPart, type Route } from '../route.ts';
import { toIso } from '../run-answer.ts';

/** Few enough to be told at once; the newest are what anybody asks for. */
const mostListed = 1_000;

export const revisionsRoute: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/revisions',
  operation: {
    operationId: 'listRevisions',
    summary: 'The revisions of a run, newest first',
    requestParams: { path: idPath },
    responses: { '200': { description: 'The newest 1000', content: jsonOf(wireRevisions) } },
  },
  async handle(context, request, response) {
    const id = pathPart(request, 'id');
    const { facts } = await context.runs.readHere(id);
    const edits = await readRevisions(context.redis, facts.handle);
    const answer: WireRevisions = {
      revisions: [
        { revision: 1, at: toIso(facts.createdAt), by: null, edit: null },
        ...edits.map(({ revision, at, by, ...edit }) => ({ revision, at: toIso(at), by, edit })),
      ]
        .reverse()
        .slice(0, mostListed),
    };
    response.json(answer);
  },
};
