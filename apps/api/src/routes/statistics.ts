import { type WireClassStatistics, wireEstimate, wireStatistics } from '@runnel/client';
import { type ClassStatistics, quantileOf, readClassStatistics } from '@runnel/planning';
import { idPath, jsonOf, type Route } from '../route.ts';
import { toIso } from '../run-answer.ts';
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
    const classes = await readClassStatistics(context.redis, await readInfo(context, request));
    response.json({ runs: 1, classes: classes.map(toWire) });
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

export const statisticsRoutes: readonly Route[] = [ofRun, ofRest];
