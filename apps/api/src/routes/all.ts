import { daggyrRoutes } from '../daggyr/routes.ts';
import type { Route } from '../route.ts';
import { bundleRoutes } from './bundles.ts';
import { changeRoutes } from './change-run.ts';
import { doctorRoutes } from './doctor.ts';
import { editRunRoute } from './edit-run.ts';
import { eventRoutes } from './events.ts';
import { listRoutes } from './list-runs.ts';
import { logRoutes } from './log.ts';
import { openApiRoute } from './openapi.ts';
import { retryRunRoute } from './retry-run.ts';
import { revisionsRoute } from './revisions.ts';
import { runRoutes } from './runs.ts';
import { serviceRoutes } from './service.ts';
import { statisticsRoutes } from './statistics.ts';
import { submitRunRoute } from './submit-run.ts';
import { taskRoutes } from './tasks.ts';
import { webhookRoutes } from './webhooks.ts';
import { whyRoutes } from './why.ts';
import { workerRoutes } from './workers.ts';

const routes: readonly Route[] = [
  submitRunRoute,
  ...listRoutes,
  ...runRoutes,
  ...changeRoutes,
  retryRunRoute,
  editRunRoute,
  revisionsRoute,
  ...bundleRoutes,
  ...taskRoutes,
  ...logRoutes,
  ...whyRoutes,
  ...statisticsRoutes,
  ...eventRoutes,
  ...webhookRoutes,
  ...workerRoutes,
  ...doctorRoutes,
  ...serviceRoutes,
  ...daggyrRoutes,
];

/** Everything that is served but Bull Board, the document that describes it included. */
export const allRoutes: readonly Route[] = [...routes, openApiRoute(routes)];
