import { wireRunPage, wireTagCounts } from '@runnel/client';
import { runStates } from '@runnel/core';
import type { TagFilter } from '@runnel/store';
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

const time = z
  .string()
  .pipe(z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T08:00:00Z' }))
  .transform((text) => Date.parse(text))
  .optional()
  .meta({ override: { type: 'string', format: 'date-time' } });

/** As a spec may have. */
const mostTags = 100;

const tags = z
  .union([z.string(), z.array(z.string()).max(mostTags)])
  .transform((given) => (typeof given === 'string' ? [given] : given).map(readTag))
  .optional()
  .meta({ override: { type: 'array', items: { type: 'string' } } });

const listQuery = z.strictObject({
  tag: tags.describe(
    'A tag that the run has: `team:data`, `team:da*` (begins so), `team` (whatever it says). Repeated: all of them.',
  ),
  name: z.string().optional().describe('The whole name.'),
  text: z.string().min(1).optional().describe('A part of the name, in either case.'),
  state: z.enum(runStates).optional(),
  since: time.describe('Created at or after this time.'),
  until: time.describe('Created at or before this time.'),
  endedSince: time.describe('Ended at or after this time.'),
  endedUntil: time.describe('Ended at or before this time.'),
  limit: pageSize(200, 50),
  cursor: cursorParameter,
});
const position = z.tuple([z.number(), z.string()]);

/** A colon ends the key; a star at the end stands for anything. */
function readTag(text: string): TagFilter {
  const at = text.indexOf(':');
  if (at < 0) return { key: text, value: '', isPrefix: true };
  const value = text.slice(at + 1);
  const isPrefix = value.endsWith('*');
  return { key: text.slice(0, at), value: isPrefix ? value.slice(0, -1) : value, isPrefix };
}

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
    const { tag, limit = 50, cursor, ...filter } = readQuery(listQuery, request);
    const after = cursor === undefined ? undefined : decodeCursor(position, cursor);
    const given = Object.entries(filter).filter(([, value]) => value !== undefined);
    const { namespace } = context.settings;
    const page = await searchRuns(
      { ...context, namespace },
      {
        ...Object.fromEntries(given),
        limit,
        ...(tag === undefined ? {} : { tags: tag }),
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
