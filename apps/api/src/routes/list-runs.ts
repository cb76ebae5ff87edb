import { wireRunPage, wireTagCounts } from '@runnel/client';
import { z } from 'zod';
import { listTagKeys, listTagValues } from '../archive/list-tags.ts';
import { searchRuns } from '../archive/search-runs.ts';
import { baseUrl } from '../context.ts';
import {
  cursorParameter,
  decodeCursor,
  encodeCursor,
  jsonOf,
  pageSize,
  type Route,
  readQuery,
} from '../route.ts';
import { toWireRunSummary } from '../run-answer.ts';
import { runFilters, toRunFilter } from '../run-filters.ts';

const listQuery = z.strictObject({
  ...runFilters,
  limit: pageSize(200, 50),
  cursor: cursorParameter,
});
/** Whatever somebody makes of a cursor, it is a time and an id: PostgreSQL takes no other. */
const position = z.tuple([z.int(), z.string().regex(/^[\w-]{1,64}$/)]);

const list: Route = {
  method: 'get',
  path: '/api/v1/runs',
  operation: {
    operationId: 'listRuns',
    summary: 'List runs, newest first',
    description:
      'Runs in Redis and in the archive. A page may have fewer runs than `limit` while there is a `next`: a search ' +
      'for what is seldom gives what it has found within some milliseconds, and goes on with the next page.',
    requestParams: { query: listQuery },
    responses: { '200': { description: 'A page of runs', content: jsonOf(wireRunPage) } },
  },
  async handle(context, request, response) {
    const { limit = 50, cursor, ...filters } = readQuery(listQuery, request);
    const after = cursor === undefined ? undefined : decodeCursor(position, cursor);
    const { namespace } = context.settings;
    const page = await searchRuns(
      { ...context, namespace },
      {
        ...toRunFilter(filters),
        limit,
        ...(after === undefined ? {} : { after: { createdAt: after[0], id: after[1] } }),
      },
    );
    const base = baseUrl(context, request);
    response.json({
      runs: page.runs.map((run) => toWireRunSummary(run, base)),
      next: page.next === null ? null : encodeCursor([page.next.createdAt, page.next.id]),
    });
  },
};

const keys: Route = {
  method: 'get',
  path: '/api/v1/tags',
  operation: {
    operationId: 'listTags',
    summary: 'Keys of tags, with the number of runs that have them',
    responses: { '200': { description: 'The keys', content: jsonOf(wireTagCounts) } },
  },
  async handle(context, _request, response) {
    response.json({ tags: await listTagKeys(context) });
  },
};

const valuesQuery = z.strictObject({
  prefix: z.string().optional().describe('Only values that begin so.'),
  limit: pageSize(1_000, 100),
});
const keyPath = z.object({ key: z.string().describe('The key of a tag.') });

const values: Route = {
  method: 'get',
  path: '/api/v1/tags/{key}',
  operation: {
    operationId: 'listTagValues',
    summary: 'Values of a tag, with the number of runs that have them',
    requestParams: { path: keyPath, query: valuesQuery },
    responses: { '200': { description: 'The values', content: jsonOf(wireTagCounts) } },
  },
  async handle(context, request, response) {
    const { prefix = '', limit = 100 } = readQuery(valuesQuery, request);
    const key = String(request.params['key']);
    response.json({ tags: await listTagValues(context, { key, prefix, limit }) });
  },
};

export const listRoutes: readonly Route[] = [list, keys, values];
