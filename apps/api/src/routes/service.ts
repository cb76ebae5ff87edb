import { runSpecJsonSchema } from '@runnel/spec';
import { openStore } from '@runnel/store';
import { z } from 'zod';
import { whyRedisFailed } from '../redis-failure.ts';
import type { Route } from '../route.ts';

const text = { 'text/plain': { schema: z.string() } };
const anyJson = { 'application/json': { schema: z.looseObject({}) } };

const live: Route = {
  method: 'get',
  path: '/livez',
  isOpen: true,
  operation: {
    operationId: 'isLive',
    summary: 'Whether the process answers at all',
    responses: { '200': { description: 'It does', content: text } },
  },
  handle(_context, _request, response) {
    response.type('text/plain').send('ok\n');
  },
};

const ready: Route = {
  method: 'get',
  path: '/readyz',
  isOpen: true,
  operation: {
    operationId: 'isReady',
    summary: 'Whether runs can be submitted and read',
    responses: {
      '200': { description: 'They can', content: text },
      '503': { description: 'Why not, in a line', content: text },
    },
  },
  async handle({ redis, settings, stopping, logger }, _request, response) {
    response.type('text/plain').setHeader('Cache-Control', 'no-store');
    if (stopping.aborted) {
      response.status(503).send('stopping\n');
      return;
    }
    try {
      await openStore(redis, settings.namespace);
      response.send('ok\n');
    } catch (error: unknown) {
      const failure = whyRedisFailed(error);
      if (failure === 'full') {
        // Runs can still be read, cancelled and deleted: that is what makes room.
        response.send('ok, but Redis is full\n');
        return;
      }
      // Whoever probes has no token and is told no more than the kind of failure.
      logger.warn({ err: error }, 'not ready');
      const why = failure === 'away' ? 'Redis can not be reached' : 'the store can not be used';
      response.status(503).send(`${why}\n`);
    }
  },
};

const metrics: Route = {
  method: 'get',
  path: '/metrics',
  operation: {
    operationId: 'readMetrics',
    summary: 'Metrics in the text form of Prometheus',
    responses: { '200': { description: 'Metrics', content: text } },
  },
  async handle(context, _request, response) {
    const body = await context.metrics.text();
    response.setHeader('Content-Type', context.metrics.contentType);
    response.end(body);
  },
};

const specSchema: Route = {
  method: 'get',
  path: '/schema/run-spec.json',
  operation: {
    operationId: 'readRunSpecSchema',
    summary: 'The JSON Schema of a run spec, for editors',
    responses: { '200': { description: 'JSON Schema, draft 2020-12', content: anyJson } },
  },
  handle(_context, _request, response) {
    response.type('application/schema+json').send(JSON.stringify(runSpecJsonSchema()));
  },
};

export const serviceRoutes: readonly Route[] = [live, ready, metrics, specSchema];
