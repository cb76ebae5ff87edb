import type { Route } from '../route.ts';
import { doctorRoutes } from './doctor.ts';
import { eventRoutes } from './events.ts';
import { logRoutes } from './log.ts';
import { openApiRoute } from './openapi.ts';
import { retryRunRoute } from './retry-run.ts';
import { runRoutes } from './runs.ts';
import { serviceRoutes } from './service.ts';
import { submitRunRoute } from './submit-run.ts';
import { taskRoutes } from './tasks.ts';
import { webhookRoutes } from './webhooks.ts';
import { whyRoutes } from './why.ts';
import { workerRoutes } from './workers.ts';

const routes: readonly Route[] = [
  submitRunRoute,
  ...runRoutes,
  retryRunRoute,
  ...taskRoutes,
  ...logRoutes,
  ...whyRoutes,
  ...eventRoutes,
  ...webhookRoutes,
  ...workerRoutes,
  ...doctorRoutes,
  ...serviceRoutes,
];

/** Everything that is served but Bull Board, the document that describes it included. */
export const allRoutes: readonly Route[] = [...routes, openApiRoute(routes)];
