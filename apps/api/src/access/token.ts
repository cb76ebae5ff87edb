import { judgeToken } from '@runnel/service';
import type { Request } from 'express';
import { RequestError } from '../request-error.ts';

/** For programs a bearer token; for browsers (Bull Board) a password dialog, any user, the token as password. */
const challenges = ['Bearer realm="runnel"', 'Basic realm="runnel", charset="UTF-8"'];

/** Throws unless the request carries the token. */
export function checkToken(request: Request, token: string): void {
  const verdict = judgeToken(request.headers.authorization, token);
  if (verdict === 'right') return;
  const message =
    verdict === 'missing'
      ? 'a token is needed: send "Authorization: Bearer <token>" (RUNNEL_TOKEN)'
      : 'the token is wrong';
  throw new RequestError(401, message, { headers: { 'WWW-Authenticate': challenges } });
}
