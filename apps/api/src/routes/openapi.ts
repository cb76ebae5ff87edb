import { problemDocument } from '@runnel/client';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { daggyrPath } from '../daggyr/answer-error.ts';
import { problemType } from '../problem.ts';
import type { Route } from '../route.ts';

/** Serves the OpenAPI document of these routes and of itself; it is made when first asked for. */
export function openApiRoute(routes: readonly Route[]): Route {
  let text: string | undefined;
  const own: Route = {
    method: 'get',
    path: '/openapi.json',
    operation: {
      operationId: 'readOpenApi',
      summary: 'This document',
      responses: {
        '200': {
          description: 'OpenAPI 3.1',
          content: { 'application/json': { schema: z.looseObject({}) } },
        },
      },
    },
    handle(_context, _request, response) {
      text ??= JSON.stringify(describe([...routes, own]));
      response.type('application/json').send(text);
    },
  };
  return own;
}

function describe(routes: readonly Route[]): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Runnel',
      version: '0.1.0',
      description:
        'Runs directed acyclic graphs of tasks. Errors are problem documents (RFC 9457).',
    },
    security: [{ bearer: [] }, { basic: [] }, {}],
    paths: describePaths(routes),
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'For browsers: any user, the token as the password.',
        },
      },
    },
  });
}

function describePaths(routes: readonly Route[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const { operation } = route;
    paths[route.path] = {
      ...paths[route.path],
      [route.method]: {
        ...operation,
        ...(route.isOpen === true ? { security: [] } : {}),
        responses: { ...operation.responses, ...describeErrors(route) },
      },
    };
  }
  return paths;
}

/** The errors that a route can answer with, by what it takes. */
function describeErrors(route: Route): ZodOpenApiResponsesObject {
  const names: string[] = ['403'];
  if (route.isOpen !== true) names.push('401');
  if (route.path.includes('/api/')) names.push('503');
  if (route.operation.requestParams?.query !== undefined) names.push('400');
  if (route.path.includes('{id}')) names.push('404', '409');
  if (route.operation.requestBody !== undefined) names.push('409', '413', '415', '422');
  if (/\/(?:log|events)$/.test(route.path)) names.push('429');
  const content = route.path.startsWith(daggyrPath)
    ? { 'application/json': { schema: z.object({ error: z.string() }) } }
    : { [problemType]: { schema: problemDocument } };
  return Object.fromEntries(
    names.map((name) => [name, { description: errorDescriptions[name] ?? 'An error', content }]),
  );
}

const errorDescriptions: Readonly<Record<string, string>> = {
  '400': 'The request is malformed',
  '401': 'No token, or a wrong one',
  '403': 'The Host or Origin is not allowed',
  '404': 'There is no such run or task',
  '409': 'Not possible in the state of the run, or its submission is in flight',
  '413': 'The body is too large',
  '415': 'The Content-Type is not supported',
  '422': 'The spec has errors, or the Idempotency-Key was used for another one',
  '429': 'Too many at once',
  '503': 'Redis can not be reached, or is full',
};
