import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isLoopback } from './exposure.ts';
import type { Metrics } from './metrics.ts';
import type { Settings } from './settings.ts';
import { judgeToken } from './token.ts';

export interface HealthOptions {
  /** Port 0: no server. */
  readonly settings: Pick<Settings, 'healthHost' | 'healthPort' | 'token'>;
  readonly metrics: Metrics;
  /** Why the process can't do its work now, or null. */
  readonly whyNotReady: () => string | null | Promise<string | null>;
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string;
}

/**
 * `/livez`, `/readyz` and `/metrics` for processes without an HTTP server of their own. Metrics need
 * the token where one is set, and are told beyond loopback only with one.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer | null> {
  const { healthHost: host, healthPort: port } = options.settings;
  if (port === 0) return null;
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      response.writeHead(500).end(`${String(error)}\n`);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { settings, metrics, whyNotReady }: HealthOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0];
  if (path === '/livez') return send(response, 200, 'ok\n');
  if (path === '/readyz') {
    const why = await whyNotReady();
    return send(response, why === null ? 200 : 503, `${why ?? 'ok'}\n`);
  }
  if (path === '/metrics') {
    const refusal = whyNoMetrics(settings, request);
    if (refusal !== null) return send(response, settings.token === null ? 403 : 401, refusal);
    response.setHeader('Content-Type', metrics.contentType);
    return send(response, 200, await metrics.text());
  }
  return send(response, 404, 'there are /livez, /readyz and /metrics\n');
}

function whyNoMetrics(
  { healthHost, token }: HealthOptions['settings'],
  request: IncomingMessage,
): string | null {
  if (token !== null) {
    const isRight = judgeToken(request.headers.authorization, token) === 'right';
    return isRight ? null : 'send "Authorization: Bearer <token>" (RUNNEL_TOKEN)\n';
  }
  if (isLoopback(healthHost)) return null;
  return 'beyond 127.0.0.1 metrics are told only where RUNNEL_TOKEN is set\n';
}

function send(response: ServerResponse, code: number, body: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain');
  response.writeHead(code).end(body);
}
