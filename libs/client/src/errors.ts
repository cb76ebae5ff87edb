import { UserError } from '@runnel/core';
import type { ProblemDocument } from './wire.ts';

/** The API answered with an error: `problem` says what is wrong and what would be right. */
export class ApiError extends UserError {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The problem's code, such as `SPEC_INVALID`. */
  readonly code: string;
  readonly problem: ProblemDocument;
  /** From `Retry-After`, where the API gave one. */
  readonly retryAfterMs: number | null;

  constructor(problem: ProblemDocument, retryAfterMs: number | null = null) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Nothing answered at the URL, or not in time, or what answered is not a Runnel API. */
export class UnreachableError extends UserError {
  override readonly name = 'UnreachableError';
  readonly code = 'UNREACHABLE';
  readonly url: string;

  constructor(url: string, why: string, options?: ErrorOptions) {
    super(`${url} can't be reached: ${why}`, options);
    this.url = url;
  }
}
