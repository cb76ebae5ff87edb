import { SpecError } from '@runnel/core';
import type { Logger } from '@runnel/service';
import type { NextFunction, Request, Response } from 'express';
import { logFailure, toAnswer } from '../problem.ts';

/** Where the adapter is served. */
export const daggyrPath = '/daggyr';

/** Answers errors below `/daggyr` in DaggyR's shape: `{"error": "…"}`, all mistakes of a run at once. */
export function answerDaggyrError(logger: Logger) {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const { status, detail, headers } = toAnswer(error);
    logFailure(logger, { error, status, request });
    if (response.headersSent) {
      // Half an answer is out: breaking the connection is the only way to say that it is not whole.
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
    response.setHeader('Cache-Control', 'no-store');
    const text = error instanceof SpecError ? error.message : detail;
    response.status(status).json({ error: text });
  };
}
