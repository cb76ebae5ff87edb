import type { Logger, Metrics } from '@runnel/service';
import type { Request, RequestHandler } from 'express';
import { boardPath } from './bull-board.ts';

/** Seconds; the longest are submissions of millions of tasks. */
const buckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Counts and times every request, and logs it at debug. Times do not include those of followers. */
export function observeRequests(logger: Logger, metrics: Metrics): RequestHandler {
  const count = metrics.counter({
    name: 'http_requests_total',
    help: 'Requests by route and status',
    labels: ['method', 'route', 'status'],
  });
  const seconds = metrics.histogram({
    name: 'http_request_seconds',
    help: 'Time until an answer was out, without followed logs and feeds',
    labels: ['method', 'route'],
    buckets,
  });
  return (request, response, next) => {
    const startedAt = performance.now();
    response.on('close', () => {
      const ms = performance.now() - startedAt;
      const { method } = request;
      // The route's pattern, never the path: labels must be few.
      const isBoard = request.originalUrl.startsWith(boardPath);
      const route = isBoard ? boardPath : String(request.route?.path ?? 'none');
      const status = response.statusCode;
      count.inc({ method, route, status });
      if (!isFollowing(request)) seconds.observe({ method, route }, ms / 1000);
      const path = request.originalUrl.split('?')[0];
      logger.debug({ method, path, status, ms: Math.round(ms) }, 'request');
    });
    next();
  };
}

/** Such an answer takes as long as what it follows. */
function isFollowing({ query, route }: Request): boolean {
  return query['follow'] !== undefined || String(route?.path ?? '').endsWith('/events');
}
