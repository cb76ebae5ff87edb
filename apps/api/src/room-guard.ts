import type { Clock } from '@runnel/core';
import { type RedisClient, type RedisMemory, readMemory } from '@runnel/store';
import { RequestError } from './request-error.ts';

/** The rest is for the runs that are in there already: outcomes, outputs and logs. */
const mostOfMemory = 0.8;
/** Redis is asked no more often; small runs of so long take far less than what is left above. */
const askedEveryMs = 250;
const smallBytes = 262_144;

/** Refuses new runs from 80 % of Redis's maxmemory on; without a maxmemory there is no limit. */
export class RoomGuard {
  readonly #redis: RedisClient;
  readonly #clock: Clock;
  #hadRoomAt = Number.NEGATIVE_INFINITY;

  constructor(redis: RedisClient, clock: Clock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  /**
   * `bytes` is what the run will take.
   *
   * @throws RequestError (503, or 507 where it would never fit) with both numbers.
   */
  async require(bytes: number): Promise<void> {
    const now = this.#clock.now();
    if (bytes <= smallBytes && now - this.#hadRoomAt < askedEveryMs) return;
    const memory = await readMemory(this.#redis);
    const most = memory.most * mostOfMemory;
    if (memory.most > 0) {
      if (memory.used >= most) throw tooFull(memory);
      if (memory.used + bytes >= most) throw noRoom(memory, bytes);
    }
    this.#hadRoomAt = now;
  }
}

function tooFull({ used, most }: RedisMemory): RequestError {
  return new RequestError(
    503,
    `Redis uses ${used} of ${most} bytes (maxmemory); above 80 % no new runs are accepted: delete runs, or raise maxmemory`,
    { code: 'REDIS_FULL', headers: { 'Retry-After': '30' } },
  );
}

function noRoom({ used, most }: RedisMemory, bytes: number): RequestError {
  const left = Math.max(0, Math.floor(most * mostOfMemory) - used);
  const text = `this run needs about ${bytes} bytes of Redis, and ${left} are left below 80 % of maxmemory (${used} of ${most} are used)`;
  if (bytes < most * mostOfMemory) {
    return new RequestError(503, `${text}: delete runs, or raise maxmemory`, {
      code: 'REDIS_FULL',
      headers: { 'Retry-After': '30' },
    });
  }
  return new RequestError(507, `${text}: raise maxmemory, or submit it in parts`, {
    code: 'REDIS_TOO_SMALL',
  });
}
