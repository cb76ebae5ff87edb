import { LimitError } from '@runnel/core';
import { estimateBytes, type NewSet, type RedisClient, readMemory } from '@runnel/store';

/** The rest is for what is in there already; new runs are refused from there on as well. */
const mostOfMemory = 0.8;

/**
 * Null where Redis has room for so many bytes more, or no limit; else what to tell those who look.
 *
 * @throws LimitError where they would not fit into an empty Redis.
 */
export async function findShortage(redis: RedisClient, bytes: number): Promise<string | null> {
  const { used, most } = await readMemory(redis);
  const allowed = Math.floor(most * mostOfMemory);
  if (most === 0 || used + bytes < allowed) return null;
  const wanted = `the generated tasks need about ${bytes} bytes of Redis`;
  if (bytes >= allowed) {
    throw new LimitError(
      `${wanted}, over 80 % of its maxmemory of ${most}: raise maxmemory, or generate fewer tasks`,
    );
  }
  const left = Math.max(0, allowed - used);
  return `${wanted}, and ${left} are left below 80 % of maxmemory (${used} of ${most} are used): they wait for room; delete runs, or raise maxmemory`;
}

/** About what a set takes when it has ended; results that it takes over are there already. */
export function bytesOfSet({ plan }: NewSet): number {
  return estimateBytes(plan, 0);
}

/** Redis refused a call before it wrote anything. */
export function isRedisFull(error: unknown): boolean {
  return error instanceof Error && error.message.includes('OOM command not allowed');
}

export const redisIsFull =
  'Redis is full: the generated tasks wait for room; delete runs, or raise maxmemory';
