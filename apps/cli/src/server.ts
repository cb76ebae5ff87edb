import { type Client, createClient } from '@runnel/client';
import type { Cli, GlobalOptions } from './cli.ts';
import { readDevFile } from './dev/dev-file.ts';
import { UsageError } from './exit-codes.ts';
import { whoAsks } from './who.ts';

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
  if (asked.url !== undefined) return openServer(cli, { origin: '--url', url: asked.url, token });
  if (urlOfEnv !== '') return openServer(cli, { origin: 'RUNNEL_URL', url: urlOfEnv, token });
  const dev = readDevFile(cli.cwd);
  if (dev === null) return null;
  const devToken = token === '' ? (dev.token ?? '') : token;
  return openServer(cli, { origin: 'dev', url: dev.url, token: devToken });
}

/** @throws UsageError that says how to name or start one. */
export function requireServer(cli: Cli, asked: Asked): Server {
  const server = findServer(cli, asked);
  if (server !== null) return server;
  throw new UsageError(
    'no server: give --url or RUNNEL_URL, or start one in this folder with "runnel dev"',
  );
}

function openServer(
  cli: Cli,
  { origin, url, token }: Pick<Server, 'origin' | 'url'> & { readonly token: string },
): Server {
  const parsed = URL.parse(url);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new UsageError(`${origin} ${url}: must be an address such as http://127.0.0.1:2503`);
  }
  return {
    url,
    origin,
    client: createClient({ url, by: whoAsks(cli), ...(token === '' ? {} : { token }) }),
  };
}
