import { SetupError } from '@runnel/core';
import { Redis } from 'ioredis';
import type { RedisClient } from './script.ts';

/** The replies of `call` are not mapped to one form: under RESP 3 a stream's would be flat. */
const protocol = 2;

/**
 * A connection that waits for Redis as long as it takes: commands are sent again after a reconnect,
 * which every script of the store allows.
 */
export function connectRedis(
  url: string,
  onError: (error: Error) => void,
  options: ConnectOptions = {},
): Redis {
  const redis = new Redis(url, {
    protocol,
    enableAutoPipelining: options.gathersCommands ?? false,
    maxRetriesPerRequest: null,
    retryStrategy: (tries) => Math.min(tries * 50, 1_000),
  });
  redis.on('error', onError);
  return redis;
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
export function connectRedisForRequests(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    protocol,
    maxRetriesPerRequest: 1,
    commandTimeout: 4_000,
    retryStrategy: (tries) => Math.min(tries * 50, 1_000),
  });
  redis.on('error', onError);
  return redis;
}

/** Refuses a Redis that may drop keys or is too old; a process calls it before it starts. */
export async function checkRedis(redis: RedisClient): Promise<void> {
  const server = parseInfo(await redis.info('server'));
  const major = Number((server['redis_version'] ?? '0').split('.')[0]);
  if (major < 7) {
    throw new SetupError(
      `Redis ${server['redis_version']} is too old: 7.0 or newer is needed (scripts use flags)`,
    );
  }
  const policy = parseInfo(await redis.info('memory'))['maxmemory_policy'];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new SetupError(
      `Redis may evict keys (maxmemory-policy is ${policy}), which would lose runs. ` +
        'Set it with: redis-cli CONFIG SET maxmemory-policy noeviction (and the same in redis.conf)',
    );
  }
}

/** `INFO` as field and value. */
export function parseInfo(info: string): Readonly<Record<string, string>> {
  const fields = info.split('\r\n').flatMap((line) => {
    const at = line.indexOf(':');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(fields);
}
