import type { Clock } from '@runnel/core';
import { parseInfo, type RedisClient } from '@runnel/store';
import { RequestError } from './request-error.ts';

/** The rest is for the runs that are in there already: outcomes, outputs and logs. */
const mostOfMemory = 0.8;
/** Redis is asked no more often; small runs of so long take far less than what is left above. */
const askedEveryMs = 250;

/** Refuses new runs from 80 % of Redis's maxmemory on; without a maxmemory there is no limit. */
export class RoomGuard {
  readonly #redis: RedisClient;
  readonly #clock: Clock;
  #hadRoomAt = Number.NEGATIVE_INFINITY;

  constructor(redis: RedisClient, clock: Clock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  /** @throws RequestError (503) where Redis is nearly full. */
  async require(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#hadRoomAt < askedEveryMs) return;
    const memory = parseInfo(await this.#redis.info('memory'));
    const most = Number(memory['maxmemory'] ?? 0);
    const used = Number(memory['used_memory'] ?? 0);
    if (most !== 0 && used >= most * mostOfMemory) throw tooFull(used, most);
    this.#hadRoomAt = now;
  }
}

function tooFull(used: number, most: number): RequestError {
  return new RequestError(
    503,
    `Redis uses ${used} of ${most} bytes (maxmemory); above 80 % no new runs are accepted: delete runs, or raise maxmemory`,
    { code: 'REDIS_FULL', headers: { 'Retry-After': '30' } },
  );
}
