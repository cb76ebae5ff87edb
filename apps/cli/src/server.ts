import { type Client, createClient } from '@runnel/client';
import type { Cli, GlobalOptions } from './cli.ts';
import { readDevFile } from './dev/dev-file.ts';
import { UsageError } from './exit-codes.ts';

/** A server to talk to. */
export interface Server {
  readonly url: string;
  readonly client: Client;
  /** Where its address came from. */
  readonly origin: '--url' | 'RUNNEL_URL' | 'dev';
}

type Asked = Pick<GlobalOptions, 'url' | 'token'>;

/** `--url`, else RUNNEL_URL, else the `runnel dev` of this folder; null where there is none of them. */
export function findServer(cli: Cli, asked: Asked): Server | null {
  const { RUNNEL_URL: urlOfEnv = '', RUNNEL_TOKEN: tokenOfEnv = '' } = cli.env;
  const token = asked.token ?? tokenOfEnv;
  if (asked.url !== undefined) return openServer('--url', asked.url, token);
  if (urlOfEnv !== '') return openServer('RUNNEL_URL', urlOfEnv, token);
  const dev = readDevFile(cli.cwd);
  return dev === null ? null : openServer('dev', dev.url, token === '' ? (dev.token ?? '') : token);
}

/** @throws UsageError that says how to name or start one. */
export function requireServer(cli: Cli, asked: Asked): Server {
  const server = findServer(cli, asked);
  if (server !== null) return server;
  throw new UsageError(
    'no server: give --url or RUNNEL_URL, or start one in this folder with "runnel dev"',
  );
}

function openServer(origin: Server['origin'], url: string, token: string): Server {
  const parsed = URL.parse(url);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new UsageError(`${origin} ${url}: must be an address such as http://127.0.0.1:2503`);
  }
  return { url, origin, client: createClient({ url, ...(token === '' ? {} : { token }) }) };
}
