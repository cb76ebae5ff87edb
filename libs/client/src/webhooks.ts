import type { CallOptions, Client } from './client.ts';
import type { Http } from './http.ts';
import { runPath } from './run-path.ts';
import { wireFailedWebhook, wireFailedWebhooks, wireRunWebhooks } from './wire-webhooks.ts';

export interface FailedWebhooksQuery extends CallOptions {
  /** At most 200; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Calls about webhooks. */
export function webhooks(
  http: Http,
): Pick<Client, 'getWebhooks' | 'listFailedWebhooks' | 'retryWebhook'> {
  return {
    getWebhooks: (id, options = {}) =>
      http.read(wireRunWebhooks, {
        method: 'GET',
        path: `${runPath(id)}/webhooks`,
        signal: options.signal,
      }),
    listFailedWebhooks: ({ signal, ...query } = {}) =>
      http.read(wireFailedWebhooks, {
        method: 'GET',
        path: '/api/v1/webhooks/failed',
        query,
        signal,
      }),
    retryWebhook: (id, options = {}) =>
      http.read(wireFailedWebhook, {
        method: 'POST',
        path: `/api/v1/webhooks/failed/${encodeURIComponent(id)}/retry`,
        signal: options.signal,
      }),
  };
}
