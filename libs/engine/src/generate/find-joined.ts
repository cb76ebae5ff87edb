import {
  type Delivery,
  type RedisClient,
  type RunInfo,
  readGeneratedBy,
  type StoredGroup,
} from '@runnel/store';

const none: ReadonlySet<number> = new Set();

/**
 * Places of a delivery whose attempt has generated already: a worker died after the set had joined the
 * run, and before the outcome was reported.
 */
export async function findJoined(
  redis: RedisClient,
  claimed: { readonly info: RunInfo; readonly group: StoredGroup; readonly delivery: Delivery },
  places: readonly number[],
): Promise<ReadonlySet<number>> {
  const { info, group, delivery } = claimed;
  if (group.generator === undefined) return none;
  const joined = new Set<number>();
  for (const place of places) {
    const found = await readGeneratedBy(redis, info.facts.handle, delivery.ids[place] ?? -1);
    if (found !== null && found.attempt === (delivery.attempts[place] ?? 1)) joined.add(place);
  }
  return joined;
}
