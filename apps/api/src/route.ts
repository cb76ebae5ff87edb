import { UserError } from '@runnel/core';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { ZodOpenApiOperationObject } from 'zod-openapi';
import type { ApiContext } from './context.ts';
import { RequestError } from './request-error.ts';

/** One operation: what express serves and the OpenAPI document tells are made from the same list. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'patch';
  /** As OpenAPI writes it: `/api/v1/runs/{id}`. */
  readonly path: string;
  /** True for the few that answer without a token. */
  readonly isOpen?: boolean;
  readonly operation: ZodOpenApiOperationObject;
  handle(context: ApiContext, request: Request, response: Response): Promise<void> | void;
}

export const idPath = z.object({ id: z.string().describe('The id of a run.') });
export const taskPath = z.object({
  id: z.string().describe('The id of a run.'),
  task: z.string().describe('The id of a task, or its number.'),
});

/** One part of the path, decoded. */
export function pathPart(request: Request, name: 'id' | 'task'): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/** The query, checked; an unknown name is an error too, since it is mostly a misspelled one. */
export function readQuery<T>(schema: z.ZodType<T>, request: Request): T {
  const parsed = schema.safeParse(request.query);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(describeIssue);
  throw new RequestError(400, `the query is not valid: ${problems.join('; ')}`);
}

/** Of a route without parameters. */
export const noQuery = z.strictObject({});

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `there is no parameter ${issue.keys.join(', ')}`;
  return `${issue.path.join('.')}: ${issue.message}`;
}

export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .optional()
  .describe('Default false.');

/** A whole number written in a query. */
export function pageSize(most: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.int().min(1, `must be at least 1`).max(most, `must be at most ${most}`))
    .optional()
    .meta({ override: { type: 'integer', minimum: 1, maximum: most, default: fallback } });
}

export const cursorParameter = z.string().optional().describe('`next` of the page before.');

/** Cursors are opaque: what is in them may change. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

export function decodeCursor<T>(schema: z.ZodType<T>, cursor: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (error: unknown) {
    if (error instanceof UserError) throw error;
    throw new RequestError(400, 'cursor: this is not a cursor that the API gave', { cause: error });
  }
}

/** `content` of a JSON answer. */
export function jsonOf(schema: z.ZodType) {
  return { 'application/json': { schema } };
}

/** As `response.json`, without an ETag: nobody asks for a new run again by its old content. */
export function sendJson(response: Response, body: unknown): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}
