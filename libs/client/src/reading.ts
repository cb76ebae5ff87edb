import { z } from 'zod';
import type { Client, RunFilters } from './client.ts';
import type { Http } from './http.ts';
import { runPath, taskPath } from './run-path.ts';
import { wireRun, wireRunPage, wireTagCounts, wireTask, wireTaskPage } from './wire.ts';
import { wireWorkers } from './wire-service.ts';
import { wireEstimate, wireStatistics } from './wire-statistics.ts';
import { wireWhy } from './wire-why.ts';

/** Calls that only look. */
export function reading(
  http: Http,
): Pick<
  Client,
  | 'listRuns'
  | 'listTags'
  | 'getRun'
  | 'getSpec'
  | 'readRevision'
  | 'getTasks'
  | 'getTask'
  | 'why'
  | 'getStatistics'
  | 'getHistory'
  | 'getEstimate'
  | 'listWorkers'
> {
  return {
    listRuns: ({ signal, ...query } = {}) =>
      http.read(wireRunPage, {
        method: 'GET',
        path: '/api/v1/runs',
        query: queryOf(query),
        signal,
      }),
    getHistory: ({ signal, ...query } = {}) =>
      http.read(wireStatistics, {
        method: 'GET',
        path: '/api/v1/statistics',
        query: queryOf(query),
        signal,
      }),
    async listTags({ key, signal, ...query } = {}) {
      const path = `/api/v1/tags${key === undefined ? '' : `/${encodeURIComponent(key)}`}`;
      return (await http.read(wireTagCounts, { method: 'GET', path, query, signal })).tags;
    },
    getRun: (id, options = {}) =>
      http.read(wireRun, { method: 'GET', path: runPath(id), signal: options.signal }),
    getSpec: (id, { revision, signal } = {}) =>
      http.read(z.unknown(), {
        method: 'GET',
        path: `${runPath(id)}/spec`,
        query: { revision },
        signal,
      }),
    async readRevision(id, options = {}) {
      const path = `${runPath(id)}/spec`;
      const response = await http.send({ method: 'GET', path, signal: options.signal });
      await response.body?.cancel();
      return Number(response.headers.get('ETag')?.replaceAll('"', '') ?? 1);
    },
    getTasks: (id, { signal, ...query } = {}) =>
      http.read(wireTaskPage, {
        method: 'GET',
        path: `${runPath(id)}/tasks`,
        query,
        signal,
      }),
    getTask: (id, task, options = {}) =>
      http.read(wireTask, { method: 'GET', path: taskPath(id, task), signal: options.signal }),
    getEstimate: (id, options = {}) =>
      http.read(wireEstimate, {
        method: 'GET',
        path: `${runPath(id)}/estimate`,
        signal: options.signal,
      }),
    getStatistics: (id, options = {}) =>
      http.read(wireStatistics, {
        method: 'GET',
        path: `${runPath(id)}/statistics`,
        signal: options.signal,
      }),
    why: (id, task, options = {}) =>
      http.read(wireWhy, {
        method: 'GET',
        path: `${task === undefined ? runPath(id) : taskPath(id, task)}/why`,
        signal: options.signal,
      }),
    async listWorkers(options = {}) {
      const request = { method: 'GET', path: '/api/v1/workers', signal: options.signal } as const;
      return (await http.read(wireWorkers, request)).workers;
    },
  };
}

/** Filters as the API has them. */
function queryOf<T extends RunFilters>({ tags, since, until, endedSince, endedUntil, ...rest }: T) {
  return {
    ...rest,
    tag: tags,
    since: since?.toISOString(),
    until: until?.toISOString(),
    endedSince: endedSince?.toISOString(),
    endedUntil: endedUntil?.toISOString(),
  };
}
