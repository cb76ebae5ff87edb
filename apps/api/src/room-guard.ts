import type { Clock } from '@runnel/core';
import {
  type RedisClient,
  type RedisMemory,
  readMemory,
  tellRoom,
  usableBytes,
} from '@runnel/store';
import { RequestError } from './request-error.ts';

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
    const usable = usableBytes(memory);
    if (memory.used >= usable) throw tooFull(memory);
    if (memory.used + bytes >= usable) throw noRoom(memory, bytes);
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

function noRoom(memory: RedisMemory, bytes: number): RequestError {
  const text = `this run needs ${tellRoom(memory, bytes)}`;
  if (bytes < usableBytes(memory)) {
    return new RequestError(503, `${text}: delete runs, or raise maxmemory`, {
      code: 'REDIS_FULL',
      headers: { 'Retry-After': '30' },
    });
  }
  return new RequestError(507, `${text}: raise maxmemory, or submit it in parts`, {
    code: 'REDIS_TOO_SMALL',
  });
}
