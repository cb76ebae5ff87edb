import { LimitError } from '@runnel/core';
import {
  estimateBytes,
  type NewSet,
  type RedisClient,
  readMemory,
  tellRoom,
  usableBytes,
} from '@runnel/store';

/**
 * Null where Redis has room for so many bytes more, or no limit; else what to tell those who look.
 *
 * @throws LimitError where they would not fit into an empty Redis.
 */
export async function findShortage(redis: RedisClient, bytes: number): Promise<string | null> {
  const memory = await readMemory(redis);
  const usable = usableBytes(memory);
  if (memory.used + bytes < usable) return null;
  if (bytes >= usable) {
    throw new LimitError(
      `the generated tasks need about ${bytes} bytes of Redis, over 80 % of its maxmemory of ${memory.most}: raise maxmemory, or generate fewer tasks`,
    );
  }
  return `the generated tasks need ${tellRoom(memory, bytes)}: they wait for room; delete runs, or raise maxmemory`;
}

/** About what a set takes when it has ended; results that it takes over are there already. */
export function bytesOfSet({ plan }: NewSet): number {
  return estimateBytes(plan, 0);
}

export const redisIsFull =
  'Redis is full: the generated tasks wait for room; delete runs, or raise maxmemory';
