import { STATUS_CODES } from 'node:http';
import { ArchiveUnavailableError } from '@runnel/archive';
import type { ProblemDocument } from '@runnel/client';
import {
  ConflictError,
  LimitError,
  NotFoundError,
  RevisionChangedError,
  SetupError,
  SpecError,
  UserError,
} from '@runnel/core';
import { KeyReusedError } from '@runnel/engine';
import type { Logger } from '@runnel/service';
import type { NextFunction, Request, Response } from 'express';
import { whyRedisFailed } from './redis-failure.ts';
import { RequestError } from './request-error.ts';
import { toWireIssue } from './wire-issue.ts';

export const problemType = 'application/problem+json';

/** What a request that failed is answered with. */
export interface Answer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: ProblemDocument['errors'];
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** The only place that knows which HTTP status an error has; the last handler of the app. */
export function problemHandler(logger: Logger) {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const answer = toAnswer(error);
    logFailure(logger, { error, status: answer.status, request });
    sendProblem(request, response, answer);
  };
}

/** Logs what is no mistake of the caller. */
export function logFailure(
  logger: Logger,
  of: { readonly error: unknown; readonly status: number; readonly request: Request },
): void {
  const { error, status, request } = of;
  const fields = { err: error, method: request.method, path: request.path };
  if (isClientGone(error, request)) logger.debug(fields, 'the client went away');
  else if (status === 500) logger.error(fields, 'a request failed');
  else if (status === 503) logger.warn(fields, 'a request could not be carried out');
}

/** Who reads the beginning of a long answer (`| head`) and leaves is no failure of ours. */
function isClientGone(error: unknown, request: Request): boolean {
  const isCut =
    error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
  return isCut && request.socket.destroyed;
}

function sendProblem(request: Request, response: Response, answer: Answer): void {
  if (response.headersSent) {
    // Half an answer is out: breaking the connection is the only way to say that it is not whole.
    response.destroy();
    return;
  }
  const { status, code, detail, errors, headers } = answer;
  const problem: ProblemDocument = {
    type: `urn:runnel:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    instance: request.originalUrl.split('?')[0] ?? '',
    ...(errors === undefined ? {} : { errors }),
  };
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-store');
  response.status(status).type(problemType).send(JSON.stringify(problem));
}

export function toAnswer(error: unknown): Answer {
  if (error instanceof UserError) return ofUserError(error);
  if (error instanceof ArchiveUnavailableError) return archiveAway;
  switch (whyRedisFailed(error)) {
    case 'away':
      return {
        status: 503,
        code: 'REDIS_UNAVAILABLE',
        detail:
          'Redis can not be reached or does not take commands now: ask again in a few seconds',
        headers: { 'Retry-After': '2' },
      };
    case 'full':
      return redisFull;
    case 'unsafe':
      return notReplicated;
    default:
      break;
  }
  if (error instanceof URIError) {
    return { status: 400, code: 'BAD_REQUEST', detail: 'the path is not valid percent-encoding' };
  }
  return {
    status: 500,
    code: 'INTERNAL',
    detail: 'something went wrong in the API; its log has the reason',
  };
}

const archiveAway: Answer = {
  status: 503,
  code: 'ARCHIVE_UNAVAILABLE',
  detail:
    'the archive of ended runs can not be used now (it is away, full or locked: the log of the API says which), so it is not known what is in it: ask again in a few seconds',
  headers: { 'Retry-After': '2' },
};

const redisFull: Answer = {
  status: 503,
  code: 'REDIS_FULL',
  detail:
    'Redis has no memory left for more; running runs go on when there is room: delete runs, or raise maxmemory',
  headers: { 'Retry-After': '30' },
};

const notReplicated: Answer = {
  status: 503,
  code: 'NOT_REPLICATED',
  detail:
    'no replica of Redis confirmed what was asked for, so it may be lost or not: ask again, a submission with the same Idempotency-Key',
  headers: { 'Retry-After': '2' },
};

function ofUserError(error: UserError): Answer {
  const { code, message: detail } = error;
  if (error instanceof RequestError) {
    return { status: error.status, code, detail, headers: error.headers };
  }
  if (error instanceof SpecError) return ofSpecError(error);
  if (error instanceof NotFoundError) return { status: 404, code, detail };
  if (error instanceof KeyReusedError) return { status: 422, code: 'KEY_REUSED', detail };
  if (error instanceof ConflictError) {
    const headers = code === 'IN_FLIGHT' ? { headers: { 'Retry-After': '1' } } : {};
    return { status: 409, code, detail, ...headers };
  }
  if (error instanceof RevisionChangedError) return { status: 412, code, detail };
  if (error instanceof LimitError) return { status: 413, code, detail };
  if (error instanceof SetupError) return { status: 503, code, detail };
  return { status: 400, code, detail };
}

function ofSpecError(error: SpecError): Answer {
  const errors = error.issues.map(toWireIssue);
  const isUnreadable = error.code === 'SPEC_UNREADABLE';
  const count = errors.length === 1 ? 'one error' : `${errors.length} errors`;
  return {
    status: isUnreadable ? 400 : 422,
    code: error.code,
    detail: isUnreadable ? error.message : `the spec has ${count}: ${error.message}`,
    errors,
  };
}
