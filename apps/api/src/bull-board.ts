import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { lanes } from '@runnel/core';
import { DeliveryQueues, queueName } from '@runnel/queue';
import { readDemand, readWorkers } from '@runnel/store';
import type { RequestHandler } from 'express';
import type { ApiContext } from './context.ts';
import { RequestError } from './request-error.ts';

export const boardPath = '/board';

/** The board polls every few seconds; new queues are looked for no oftener than this. */
const lookEveryMs = 3_000;

export interface Board extends AsyncDisposable {
  readonly handlers: readonly RequestHandler[];
}

/**
 * Bull Board, for looking only: a job retried or removed there would go past the run's own counters.
 * Queues are those of the known pools, of the workers, and of the runs that want slots.
 */
export function createBoard(context: ApiContext): Board {
  const { redis, settings, logger } = context;
  const queues = new DeliveryQueues({
    connection: redis,
    namespace: settings.namespace,
    onError: (error) => logger.debug({ err: error }, 'Bull Board'),
  });
  const prefix = pathPrefix(settings.publicUrl);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(`${prefix}${boardPath}`);
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Runnel',
        hideDocsLink: true,
        hideRedisDetails: true,
        showWorkers: false,
      },
    },
  });
  const shown = new Set<string>();
  const show = (name: string): void => {
    if (shown.has(name)) return;
    shown.add(name);
    board.addQueue(
      new BullMQAdapter(queues.queue(name), {
        readOnlyMode: true,
        externalJobUrl: (job) => ({ displayText: 'Task', href: taskUrl(prefix, job.data) }),
      }),
    );
  };
  for (const pool of Object.keys(settings.knownPools)) {
    for (const lane of lanes) show(queueName(pool, lane));
  }
  const look = lookForQueues(context, show);
  return {
    handlers: [refuseWrites, look, serverAdapter.getRouter()],
    [Symbol.asyncDispose]: () => queues[Symbol.asyncDispose](),
  };
}

/** On top of the board's own read-only mode, whatever routes a later version has. */
const refuseWrites: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  throw new RequestError(405, 'Bull Board is for looking only: use the API to change runs', {
    headers: { Allow: 'GET, HEAD' },
  });
};

function lookForQueues(context: ApiContext, show: (queue: string) => void): RequestHandler {
  const { redis, settings, clock } = context;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async (_request, _response, next) => {
    const now = clock.now();
    if (now - lookedAt >= lookEveryMs) {
      lookedAt = now;
      const [demand, workers] = await Promise.all([
        readDemand(redis, settings.namespace),
        readWorkers(redis, settings.namespace, now),
      ]);
      const served = workers.flatMap((worker) => Object.keys(worker.slots));
      for (const queue of [...demand.keys(), ...served]) show(queue);
    }
    next();
  };
}

/** Where each job's task is told about. */
function taskUrl(prefix: string, data: unknown): string {
  const { r, t } = { r: '', t: 0, ...(typeof data === 'object' ? data : {}) };
  return `${prefix}/api/v1/runs/${encodeURIComponent(r)}/tasks/${t}`;
}

/** A proxy may serve us under a path. */
function pathPrefix(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}
