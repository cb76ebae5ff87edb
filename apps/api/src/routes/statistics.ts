import { type WireClassStatistics, wireEstimate, wireStatistics } from '@runnel/client';
import { type ClassStatistics, quantileOf, readClassStatistics } from '@runnel/planning';
import { z } from 'zod';
import { idPath, jsonOf, pageSize, type Route, readQuery } from '../route.ts';
import { toIso } from '../run-answer.ts';
import { runFilters, toRunFilter } from '../run-filters.ts';
import { readInfo } from './tasks.ts';

const ofRun: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/statistics',
  operation: {
    operationId: 'getRunStatistics',
    summary: 'Durations, failures and retries of a run by class',
    requestParams: { path: idPath },
    responses: { '200': { description: 'What was measured', content: jsonOf(wireStatistics) } },
  },
  async handle(context, request, response) {
    const info = await readInfo(context, request);
    const classes = await readClassStatistics(context.redis, info);
    const since = toIso(info.facts.createdAt);
    response.json({ runs: 1, since, classes: classes.map(toWire) });
  },
};

const historyQuery = z.strictObject({ ...runFilters, runs: pageSize(1_000, 100) });

const ofRuns: Route = {
  method: 'get',
  path: '/api/v1/statistics',
  operation: {
    operationId: 'getStatistics',
    summary: 'Durations, failures and retries of runs that have ended, by class',
    description:
      'Of the newest runs that match, `runs` of them (default 100), in Redis and in the archive. Runs with more than ' +
      '1000 classes are left out, and those that are still in Redis beyond 5,000,000 tasks together.',
    requestParams: { query: historyQuery },
    responses: { '200': { description: 'What was measured', content: jsonOf(wireStatistics) } },
  },
  async handle({ history }, request, response) {
    const { runs: most = 100, ...filters } = readQuery(historyQuery, request);
    const { runs, since, classes } = await history.read({ ...toRunFilter(filters), runs: most });
    const sinceTime = since === null ? null : toIso(since);
    response.json({ runs, since: sinceTime, classes: classes.map(toWire) });
  },
};

const ofRest: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/estimate',
  operation: {
    operationId: 'estimateRun',
    summary: 'How long a run that goes on will take, at a guess',
    requestParams: { path: idPath },
    responses: { '200': { description: 'The estimate', content: jsonOf(wireEstimate) } },
  },
  async handle(context, request, response) {
    const estimate = await context.estimates.read(await readInfo(context, request));
    if (estimate === null) {
      response.json({ remainingMs: null, endsAt: null, path: [], unmeasured: [] });
      return;
    }
    const endsAt = toIso(context.clock.now() + estimate.remainingMs);
    response.json({ ...estimate, endsAt });
  },
};

function toWire({ durations, ...own }: ClassStatistics): WireClassStatistics {
  return {
    ...own,
    failureRate: own.attempts === 0 ? null : own.failedAttempts / own.attempts,
    p50Ms: quantileOf(durations, 0.5),
    p95Ms: quantileOf(durations, 0.95),
  };
}

export const statisticsRoutes: readonly Route[] = [ofRun, ofRuns, ofRest];
