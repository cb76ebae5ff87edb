import express, { type Express } from 'express';
import { guard } from './access/guard.ts';
import { securityHeaders } from './access/headers.ts';
import { type Board, boardPath } from './bull-board.ts';
import type { ApiContext } from './context.ts';
import { answerDaggyrError, daggyrPath } from './daggyr/answer-error.ts';
import { observeRequests } from './observe-requests.ts';
import { problemHandler } from './problem.ts';
import { RequestError } from './request-error.ts';
import { noQuery, type Route, readQuery } from './route.ts';
import { allRoutes } from './routes/all.ts';

/** The express app: the gate first, then every route, then the answer for errors. */
export function createApp(context: ApiContext, board: Board): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  app.use(observeRequests(context.logger, context.metrics));
  app.use(securityHeaders());
  app.use(guard(context.settings));
  for (const route of allRoutes) addRoute(app, context, route);
  app.use(boardPath, ...board.handlers);
  app.use((request) => {
    throw new RequestError(
      404,
      `there is no ${request.method} ${request.path}; /openapi.json lists what there is`,
    );
  });
  app.use(daggyrPath, answerDaggyrError(context.logger));
  app.use(problemHandler(context.logger));
  return app;
}

function addRoute(app: Express, context: ApiContext, route: Route): void {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
  // Of ours alone: a probe or a client of DaggyR may add what it likes.
  const hasNoQuery = path.startsWith('/api/') && route.operation.requestParams?.query === undefined;
  app[route.method](path, async (request, response) => {
    if (hasNoQuery) readQuery(noQuery, request);
    await route.handle(context, request, response);
  });
}
