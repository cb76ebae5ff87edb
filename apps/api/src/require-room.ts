import { parseInfo, type RedisClient } from '@runnel/store';
import { RequestError } from './request-error.ts';

/** The rest is for the runs that are in there already: outcomes, outputs and logs. */
const mostOfMemory = 0.8;

/** Refuses new runs from 80 % of Redis's maxmemory on; without a maxmemory there is no limit. */
export async function requireRoom(redis: RedisClient): Promise<void> {
  const memory = parseInfo(await redis.info('memory'));
  const most = Number(memory['maxmemory'] ?? 0);
  const used = Number(memory['used_memory'] ?? 0);
  if (most === 0 || used < most * mostOfMemory) return;
  throw new RequestError(
    503,
    `Redis uses ${used} of ${most} bytes (maxmemory); above 80 % no new runs are accepted: delete runs, or raise maxmemory`,
    { code: 'REDIS_FULL', headers: { 'Retry-After': '30' } },
  );
}
