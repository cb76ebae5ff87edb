import { Cluster } from 'ioredis';
import { parseInfo } from './connect.ts';
import type { RedisClient } from './script.ts';

/** What one server says of itself; null: it did not say. */
export interface RedisFacts {
  /** Empty where there is only one. */
  readonly where: string;
  readonly version: string;
  readonly isClusterNode: boolean;
  readonly isMaster: boolean;
  readonly policy: string | null;
  readonly appendOnly: boolean | null;
  /** Null also where CONFIG is not allowed. */
  readonly appendFsync: string | null;
  readonly replicas: number;
  /** Null where no `min-replicas-to-write` is set. */
  readonly goodReplicas: number | null;
}

/** Bytes in use and allowed; 0 allowed is no limit. */
export interface RedisMemory {
  readonly used: number;
  readonly most: number;
}

/** What new runs and tasks may fill of it; the rest is for what is in there: outcomes, outputs and logs. */
const mostOfMemory = 0.8;

/** Bytes up to which new runs and tasks are let in; Infinity where there is no limit. */
export function usableBytes({ most }: RedisMemory): number {
  return most === 0 ? Number.POSITIVE_INFINITY : Math.floor(most * mostOfMemory);
}

/** How many bytes there is room for, next to how many are wanted, in the words of an error. */
export function tellRoom(memory: RedisMemory, wanted: number): string {
  const left = Math.max(0, usableBytes(memory) - memory.used);
  return `about ${wanted} bytes of Redis, and ${left} are left below 80 % of maxmemory (${memory.used} of ${memory.most} are used)`;
}

/** Redis refused a call, before it wrote anything. Scripts wrap the reply of the command that failed. */
export function isRedisFull(error: unknown): boolean {
  return error instanceof Error && error.message.includes('OOM command not allowed');
}

/** The memory of the server, or of the fullest master of a Cluster. */
export async function readMemory(redis: RedisClient): Promise<RedisMemory> {
  const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
  const all = await Promise.all(
    servers.map(async (server) => {
      const info = parseInfo(await server.info('memory'));
      return { used: Number(info['used_memory'] ?? 0), most: Number(info['maxmemory'] ?? 0) };
    }),
  );
  const part = ({ used, most }: RedisMemory): number => (most === 0 ? 0 : used / most);
  const none = { used: 0, most: 0 };
  return all.reduce((most, one) => (part(one) > part(most) ? one : most), all[0] ?? none);
}

/** The facts of the server, or of each master of a Cluster. */
export async function readRedisFacts(redis: RedisClient): Promise<readonly RedisFacts[]> {
  if (!(redis instanceof Cluster)) return [await readServer(redis, '')];
  // Masters are known once something was asked.
  await redis.ping();
  return await Promise.all(
    redis.nodes('master').map((node) => {
      const { host, port } = node.options;
      return readServer(node, `${host}:${port}`);
    }),
  );
}

async function readServer(
  redis: Pick<RedisClient, 'info' | 'config'>,
  where: string,
): Promise<RedisFacts> {
  const info = parseInfo(await redis.info());
  const good = info['min_slaves_good_slaves'];
  const aof = info['aof_enabled'];
  return {
    where,
    version: info['redis_version'] ?? '0',
    isClusterNode: info['redis_mode'] === 'cluster',
    isMaster: info['role'] !== 'slave',
    policy: info['maxmemory_policy'] ?? null,
    appendOnly: aof === undefined ? null : aof === '1',
    appendFsync: await readConfig(redis, 'appendfsync'),
    replicas: Number(info['connected_slaves'] ?? 0),
    goodReplicas: good === undefined ? null : Number(good),
  };
}

async function readConfig(
  redis: Pick<RedisClient, 'config'>,
  name: string,
): Promise<string | null> {
  try {
    const reply: unknown = await redis.config('GET', name);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null;
  } catch {
    // A managed Redis, or a user without the right: what it would say is not known then.
    return null;
  }
}
