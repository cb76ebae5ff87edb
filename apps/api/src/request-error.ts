import { UserError } from '@runnel/core';

const codes = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'READ_ONLY',
  408: 'BODY_TIMEOUT',
  412: 'REVISION_CHANGED',
  413: 'BODY_TOO_LARGE',
  415: 'TYPE_NOT_SUPPORTED',
  428: 'REVISION_REQUIRED',
  429: 'TOO_MANY',
  503: 'UNAVAILABLE',
  507: 'REDIS_TOO_SMALL',
} as const;
export type RequestErrorStatus = keyof typeof codes;

/** A request that HTTP itself has an answer for. */
export class RequestError extends UserError {
  override readonly name = 'RequestError';
  readonly status: RequestErrorStatus;
  readonly code: string;
  readonly headers: Readonly<Record<string, string | string[]>>;

  constructor(
    status: RequestErrorStatus,
    message: string,
    options: ErrorOptions & {
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string | string[]>>;
    } = {},
  ) {
    super(message, options);
    this.status = status;
    this.code = options.code ?? codes[status];
    this.headers = options.headers ?? {};
  }
}
