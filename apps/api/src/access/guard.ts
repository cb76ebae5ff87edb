import type { Settings } from '@runnel/service';
import type { RequestHandler } from 'express';
import { HostRules } from './hosts.ts';
import { checkToken } from './token.ts';

/** Probes come from orchestrators that have no token; they tell nothing but whether we are well. */
const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/** The one gate above everything that is served, Bull Board and metrics included. */
export function guard(settings: Settings): RequestHandler {
  const rules = new HostRules(settings);
  return (request, response, next) => {
    rules.checkHost(request);
    const origin = rules.checkOrigin(request);
    if (origin !== null) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader(
        'Access-Control-Expose-Headers',
        'Location, Retry-After, Runnel-Log-Dropped',
      );
      response.vary('Origin');
      if (request.method === 'OPTIONS') {
        // A preflight carries no token; what follows it does.
        response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE, PATCH');
        response.setHeader(
          'Access-Control-Allow-Headers',
          'Authorization, Content-Type, Idempotency-Key',
        );
        response.status(204).end();
        return;
      }
    }
    if (settings.token !== null && !openPaths.has(request.path)) {
      checkToken(request, settings.token);
    }
    next();
  };
}
