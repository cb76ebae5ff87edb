import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type AddressRules, hostOf, parseIp } from '@runnel/core';
import { HookResolver } from './resolve.ts';
import { parseRetryAfter } from './tries.ts';

/** For all of it: looking up, connecting, sending, and the head of the answer. */
const timeoutMs = 10_000;
/** More of an answer is not read. */
const maxAnswerBytes = 65_536;
/** Of an answer that is no success so much is kept, for people. */
const keptBytes = 1_024;
/** Connections that are kept open for the next message. */
const idleSockets = 32;

export interface HookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type PostResult =
  | { readonly kind: 'delivered' }
  /** The receiver says that it wants no more. */
  | { readonly kind: 'closed'; readonly error: string }
  | { readonly kind: 'failed'; readonly error: string; readonly retryAfterMs: number | null }
  /** Broken off by us. */
  | { readonly kind: 'stopped' };

export interface HookPosterOptions {
  readonly rules: AddressRules;
  /** All addresses of a name. Default: as HookResolver finds them. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly timeoutMs?: number;
}

/**
 * Posts messages to receivers. A name is looked up once for each request, every address that it has is checked, and the
 * connection goes to one of these: a second lookup could say something else. Redirects are not followed.
 */
export class HookPoster {
  readonly #options: HookPosterOptions;
  readonly #plain = new PlainAgent({ keepAlive: true, maxFreeSockets: idleSockets });
  readonly #tls = new TlsAgent({ keepAlive: true, maxFreeSockets: idleSockets });
  readonly #resolver = new HookResolver();

  constructor(options: HookPosterOptions) {
    this.#options = options;
  }

  /** Never throws. */
  async post(request: HookRequest, stopping: AbortSignal): Promise<PostResult> {
    const limit = this.#options.timeoutMs ?? timeoutMs;
    const late = AbortSignal.timeout(limit);
    const signal = AbortSignal.any([stopping, late]);
    try {
      return await this.#post(request, signal);
    } catch (error: unknown) {
      if (stopping.aborted) return { kind: 'stopped' };
      const why = late.aborted ? `no answer within ${limit / 1_000} s` : describe(error);
      return { kind: 'failed', error: why, retryAfterMs: null };
    }
  }

  /** Closes connections that wait for another message. */
  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  async #post(request: HookRequest, signal: AbortSignal): Promise<PostResult> {
    const addresses = await orAbort(this.#resolve(request.url), signal);
    if (typeof addresses === 'string') {
      return { kind: 'failed', error: addresses, retryAfterMs: null };
    }
    for (;;) {
      const sent = await this.#send(request, addresses, signal);
      if (sent !== 'stale-connection') return await judge(sent, signal);
    }
  }

  /** The addresses to connect to; a text: why none of them may be. */
  async #resolve(url: string): Promise<readonly string[] | string> {
    const { rules } = this.#options;
    const resolve = this.#options.resolve ?? ((name: string) => this.#resolver.resolve(name));
    const host = hostOf(url);
    const addresses = parseIp(host) === null ? await resolve(host) : [host];
    for (const address of addresses) {
      const refusal = rules.refuseAddress(host, address);
      if (refusal !== null) return refusal;
    }
    return addresses.length === 0 ? `${host} has no address` : addresses;
  }

  /** A connection that was kept may have been closed by the receiver just now: then another one is made. */
  async #send(
    { url, headers, body }: HookRequest,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<IncomingMessage | 'stale-connection'> {
    const isTls = url.startsWith('https:');
    const options = {
      ...{ method: 'POST', signal, headers, lookup: lookupAmong(addresses) },
      agent: isTls ? this.#tls : this.#plain,
    };
    const { promise, resolve, reject } = Promise.withResolvers<
      IncomingMessage | 'stale-connection'
    >();
    const { href } = new URL(url);
    const request = isTls ? requestTls(href, options) : requestPlain(href, options);
    request.on('response', resolve);
    request.on('error', (error) => {
      const isStale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      if (isStale) resolve('stale-connection');
      else reject(error);
    });
    request.end(body);
    return await promise;
  }
}

async function judge(response: IncomingMessage, signal: AbortSignal): Promise<PostResult> {
  const { statusCode = 0, statusMessage = '', headers } = response;
  const text = await readSome(response, signal);
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
  const status = `${statusCode} ${statusMessage}`.trim();
  if (statusCode >= 300 && statusCode < 400) {
    const to = clean(headers.location ?? '?', keptBytes);
    const error = `${status}: redirects are not followed; give the address that it leads to: ${to}`;
    return { kind: 'failed', error, retryAfterMs: null };
  }
  const error = text === '' ? status : `${status}: ${text}`;
  if (statusCode === 410) return { kind: 'closed', error };
  return {
    kind: 'failed',
    error,
    retryAfterMs: parseRetryAfter(headers['retry-after'], Date.now()),
  };
}

/** The beginning of an answer. The status counts, however the rest goes. */
async function readSome(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const kept: Buffer[] = [];
  let [bytes, keptSoFar] = [0, 0];
  try {
    for await (const chunk of response) {
      const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      if (keptSoFar < keptBytes) kept.push(part.subarray(0, keptBytes - keptSoFar));
      keptSoFar = Math.min(keptBytes, keptSoFar + part.length);
      bytes += part.length;
      if (bytes > maxAnswerBytes || signal.aborted) break;
    }
  } catch {
    // It broke off.
  }
  return clean(Buffer.concat(kept).toString(), keptBytes);
}

/** On one line, for people. */
function clean(text: string, most: number): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, most);
}

/** Answers with what was looked up and checked before. */
function lookupAmong(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, options, done) => {
    const [first] = all;
    if (options.all === true) done(null, all);
    else done(null, first?.address ?? '', first?.family ?? 4);
  };
}

/** A lookup can't be broken off; nobody waits for it any more. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? clean(error.message || error.name, keptBytes) : String(error);
}
