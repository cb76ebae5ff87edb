import type { Request } from 'express';
import type { z } from 'zod';
import type { ApiContext } from './context.ts';
import { bodyFormat, readBody } from './read-body.ts';
import { RequestError } from './request-error.ts';

/** More than the longest lists of the longest names take. */
const mostBytes = 1_048_576;

/** The tasks that a change of a run is about: the body of the request, which may be empty. */
export async function readSelector<Selector>(
  context: ApiContext,
  request: Request,
  schema: z.ZodType<Selector>,
): Promise<Selector> {
  const limits = { maxBytes: mostBytes, silenceMs: context.bodySilenceMs };
  const text = await readBody(request, limits);
  if (text.trim() === '') return schema.parse({});
  if (bodyFormat(request) !== 'json') {
    throw new RequestError(415, 'which tasks are meant is told as application/json');
  }
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new RequestError(400, `the body is not valid: ${problems.join('; ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error: unknown) {
    throw new RequestError(400, 'the body is not JSON', { cause: error });
  }
}
