import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { RequestError } from '../request-error.ts';

/** For programs a bearer token; for browsers (Bull Board) a password dialog, any user, the token as password. */
const challenges = ['Bearer realm="runnel"', 'Basic realm="runnel", charset="UTF-8"'];

/** Throws unless the request carries the token. */
export function checkToken(request: Request, token: string): void {
  const given = readToken(request.headers.authorization);
  if (given !== null && isEqual(given, token)) return;
  const message =
    given === null
      ? 'a token is needed: send "Authorization: Bearer <token>" (RUNNEL_TOKEN)'
      : 'the token is wrong';
  throw new RequestError(401, message, { headers: { 'WWW-Authenticate': challenges } });
}

function readToken(header: string | undefined): string | null {
  const [, scheme, value] = /^(Bearer|Basic) +([^ ]+) *$/i.exec(header ?? '') ?? [];
  if (scheme === undefined || value === undefined) return null;
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon < 0 ? null : pair.slice(colon + 1);
}

/** Digests have one length, so that neither the length nor the first difference shows in the time. */
function isEqual(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
