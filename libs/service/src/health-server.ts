import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  /** 0: no server. */
  readonly port: number;
  /** Default 127.0.0.1: it has no login. */
  readonly host?: string;
  readonly metrics: Metrics;
  /** Why the process can't do its work now, or null. */
  readonly whyNotReady: () => string | null | Promise<string | null>;
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string;
}

/** `/livez`, `/readyz` and `/metrics` for processes without an HTTP server of their own. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer | null> {
  if (options.port === 0) return null;
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      response.writeHead(500).end(`${String(error)}\n`);
    });
  });
  server.listen(options.port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${options.port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { metrics, whyNotReady }: HealthOptions,
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
    response.setHeader('Content-Type', metrics.contentType);
    return send(response, 200, await metrics.text());
  }
  return send(response, 404, 'there are /livez, /readyz and /metrics\n');
}

function send(response: ServerResponse, code: number, body: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain');
  response.writeHead(code).end(body);
}
