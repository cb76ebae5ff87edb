import { parseRedisAddress, type RedisAddress } from '@runnel/core';
import { Cluster, Redis } from 'ioredis';
import { keepReviving } from './keep-reviving.ts';
import type { RedisClient } from './script.ts';

/**
 * A server that says nothing for so long while somebody waits for it is taken for gone: behind a
 * partition that drops packets no socket ends by itself. Blocking reads of BullMQ take up to 10 s.
 */
const silenceMs = 20_000;

/** With a pause of 100 ms after each: as good as for ever, which Cluster can't be told. */
const endlessTries = 1_000_000;

/**
 * Which node has which slots is asked anew so often. After a failover a connection that sends pipelines alone may
 * never learn of it otherwise: where a part of one is answered, ioredis does not follow the redirection of the rest.
 */
const slotsRefreshMs = 5_000;

interface Patience {
  readonly maxRetriesPerRequest: number | null;
  readonly commandTimeout?: number;
  readonly maxRedirections: number;
}

/**
 * A connection that waits for Redis as long as it takes: commands are sent again after a reconnect,
 * which every script of the store allows.
 */
export function connectRedis(
  address: string,
  onError: (error: Error) => void,
  options: ConnectOptions = {},
): RedisClient {
  const patience = { maxRetriesPerRequest: null, maxRedirections: endlessTries };
  return open(address, onError, patience, options);
}

export interface ConnectOptions {
  /**
   * Sends commands of one turn of the event loop together: for many small reads at once. A write to
   * a socket costs more than the command that it carries; a command alone comes a little later.
   * Not for scripts: ioredis gathers no `call`s.
   */
  readonly gathersCommands?: boolean;
}

/** A connection for requests that someone waits for: fails within seconds when Redis is away. */
export function connectRedisForRequests(
  address: string,
  onError: (error: Error) => void,
): RedisClient {
  const patience = { maxRetriesPerRequest: 1, commandTimeout: 4_000, maxRedirections: 16 };
  return open(address, onError, patience, {});
}

function open(
  text: string,
  onError: (error: Error) => void,
  { maxRedirections, ...patience }: Patience,
  { gathersCommands = false }: ConnectOptions,
): RedisClient {
  const address = parseRedisAddress(text);
  // The replies of `call` are not mapped to one form: under RESP 3 a stream's would be flat.
  const common = { protocol: 2 as const, socketTimeout: silenceMs, ...patience };
  const client =
    address.kind === 'cluster'
      ? new Cluster([...address.nodes], {
          redisOptions: { ...common, ...loginOf(address) },
          enableAutoPipelining: gathersCommands,
          maxRedirections,
          slotsRefreshInterval: slotsRefreshMs,
          clusterRetryStrategy: retryDelayMs,
          // A certificate names hosts, which a lookup of ours would lose.
          ...(address.isTls ? { dnsLookup: (host, done) => done(null, host) } : {}),
        })
      : new Redis({
          ...common,
          ...loginOf(address),
          ...placeOf(address),
          enableAutoPipelining: gathersCommands,
          retryStrategy: retryDelayMs,
          reconnectOnError: afterFailover,
        });
  client.on('error', onError);
  return client instanceof Redis && address.kind === 'sentinel' ? keepReviving(client) : client;
}

function retryDelayMs(tries: number): number {
  return Math.min(tries * 50, 1_000);
}

/** A server that was the master a moment ago: connect anew, and send the command again. */
function afterFailover(error: Error): 2 | false {
  return /READONLY|^UNBLOCKED/.test(error.message) ? 2 : false;
}

function loginOf({ username, password, isTls }: RedisAddress) {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
  };
}

function placeOf(address: Exclude<RedisAddress, { kind: 'cluster' }>) {
  const { db } = address;
  if (address.kind === 'single') return { ...address.server, db };
  const { sentinelUsername, sentinelPassword } = address;
  return {
    db,
    name: address.master,
    sentinels: [...address.sentinels],
    // Its news reaches us also where the old master's socket stays open and silent.
    failoverDetector: true,
    sentinelRetryStrategy: retryDelayMs,
    sentinelReconnectStrategy: retryDelayMs,
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(address.isTls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  };
}

/** `INFO` as field and value. */
export function parseInfo(info: string): Readonly<Record<string, string>> {
  const fields = info.split('\r\n').flatMap((line) => {
    const at = line.indexOf(':');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(fields);
}
