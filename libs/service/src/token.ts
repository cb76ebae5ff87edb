import { createHash, timingSafeEqual } from 'node:crypto';

export type TokenVerdict = 'right' | 'wrong' | 'missing';

/** Compares an `Authorization` header with the token: as a bearer token, or as the password of any user. */
export function judgeToken(header: string | undefined, token: string): TokenVerdict {
  const given = readToken(header);
  if (given === null) return 'missing';
  return isEqual(given, token) ? 'right' : 'wrong';
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
