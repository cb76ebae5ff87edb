import type { z } from 'zod';
import { ApiError, UnreachableError } from './errors.ts';
import { byHeader, problemDocument } from './wire.ts';

export interface HttpOptions {
  /** Where the API is, such as `http://127.0.0.1:2503`; a path before `/api` is kept. */
  readonly url: string;
  readonly token?: string;
  /** Who asks, told with every change: 1 to 200 printable ASCII characters. */
  readonly by?: string;
  readonly fetch?: typeof fetch;
  /** For answers that are not streams; default 60 s. Submitting has no limit. */
  readonly timeoutMs?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root, each part encoded. */
  readonly path: string;
  readonly query?: Readonly<
    Record<string, string | number | boolean | readonly string[] | undefined>
  >;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** False: waits as long as it takes. Default true. */
  readonly isTimed?: boolean;
}

/** Sends requests and turns what goes wrong into errors with a meaning. */
export class Http {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #by: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor(options: HttpOptions) {
    this.#base = new URL(options.url).href.replace(/\/+$/, '');
    this.#token = options.token;
    this.#by = options.by;
    this.#fetch = options.fetch ?? fetch;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /** @throws ApiError for any status from 400, UnreachableError where there is no answer. */
  async send(request: HttpRequest): Promise<Response> {
    const response = await this.sendRaw(request);
    if (response.ok) return response;
    throw await this.#toError(response);
  }

  /** The body alone, parsed. */
  async read<T>(schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
    return (await this.readAnswer(schema, request)).body;
  }

  /** The status and the body, parsed. */
  async readAnswer<T>(
    schema: z.ZodType<T>,
    request: HttpRequest,
  ): Promise<{ readonly status: number; readonly body: T }> {
    const response = await this.send(request);
    const body: unknown = await this.#guard(request, () => response.json());
    const parsed = schema.safeParse(body);
    if (parsed.success) return { status: response.status, body: parsed.data };
    throw new UnreachableError(this.#base, 'the answer is not that of a Runnel API', {
      cause: parsed.error,
    });
  }

  /** A body as text, with the headers it came with. */
  async readText(
    request: HttpRequest,
  ): Promise<{ readonly headers: Headers; readonly text: string }> {
    const response = await this.send(request);
    return { headers: response.headers, text: await this.#guard(request, () => response.text()) };
  }

  /** A body as text while it comes. */
  async *stream(request: HttpRequest): AsyncGenerator<string> {
    const response = await this.send(request);
    if (response.body === null) return;
    // Characters may be split between chunks.
    const decoder = new TextDecoder();
    const chunks = response.body.values();
    try {
      for (;;) {
        const { done, value } = await this.#guard(request, () => chunks.next());
        const text = decoder.decode(value, { stream: done !== true });
        if (text !== '') yield text;
        if (done === true) return;
      }
    } finally {
      // Whoever stops listening ends the request; one that has broken off has ended by itself.
      await chunks.return?.().catch(() => undefined);
    }
  }

  /** Every status is an answer. */
  sendRaw(request: HttpRequest): Promise<Response> {
    const url = new URL(`${this.#base}${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      const each = typeof value === 'object' ? value : [value];
      for (const one of each) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const headers = new Headers(request.headers);
    if (this.#token !== undefined) headers.set('Authorization', `Bearer ${this.#token}`);
    if (this.#by !== undefined && request.method !== 'GET') headers.set(byHeader, this.#by);
    const signals = [
      ...(request.signal === undefined ? [] : [request.signal]),
      ...(request.isTimed === false ? [] : [AbortSignal.timeout(this.#timeoutMs)]),
    ];
    return this.#guard(request, () =>
      this.#fetch(url, {
        method: request.method,
        headers,
        redirect: 'error',
        signal: AbortSignal.any(signals),
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(typeof request.body === 'object' ? { duplex: 'half' as const } : {}),
      }),
    );
  }

  /** The caller's own abort goes through as it is; all else that breaks is an UnreachableError. */
  async #guard<T>(request: Pick<HttpRequest, 'signal'>, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error: unknown) {
      if (request.signal?.aborted === true) throw error;
      throw new UnreachableError(this.#base, describeFailure(error, this.#timeoutMs), {
        cause: error,
      });
    }
  }

  async #toError(response: Response): Promise<Error> {
    const text = await response.text().catch(() => '');
    const parsed = problemDocument.safeParse(parseJson(text));
    const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null;
    if (parsed.success) return new ApiError(parsed.data, retryAfterMs);
    // A proxy in between, or another server altogether.
    const title = response.statusText || `HTTP ${response.status}`;
    return new ApiError(
      {
        type: 'about:blank',
        title,
        status: response.status,
        detail: `${this.#base} answered ${response.status} (${title}), not as a Runnel API does`,
        code: `HTTP_${response.status}`,
      },
      retryAfterMs,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the status alone is told.
    return null;
  }
}

/** fetch says only "fetch failed"; the reason is in the cause. */
function describeFailure(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  // Several addresses were tried: an AggregateError without words of its own.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error ? first.message : cause.message;
}
