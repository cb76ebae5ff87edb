import { shardKey, shardOf } from '../keys.ts';
import type { RedisClient } from '../script.ts';

/** Outcomes of a run that could not be settled. */
export interface DeadOutcomes {
  readonly entryId: string;
  readonly carrier: number;
  readonly reason: string;
}

/** An entry may have 64 KB: so many come at once, and so many of a shard are looked at. */
const entriesPerRead = 100;
const mostEntries = 1_000;

/** Dead letters of a run among the newest 1,000 of its shard, newest first. */
export async function readDeadOutcomes(
  redis: RedisClient,
  namespace: string,
  runId: string,
): Promise<readonly DeadOutcomes[]> {
  const key = shardKey(namespace, shardOf(runId), 'deadLetters');
  const found: DeadOutcomes[] = [];
  let to = '+';
  for (let looked = 0; looked < mostEntries; looked += entriesPerRead) {
    const page = await redis.xrevrange(key, to, '-', 'COUNT', entriesPerRead);
    for (const [entryId, fields] of page) {
      if (fieldOf(fields, 'r') !== runId) continue;
      const carrier = Number(fieldOf(fields, 'c'));
      found.push({ entryId, carrier, reason: fieldOf(fields, 'reason') });
    }
    if (page.length < entriesPerRead) break;
    to = `(${page.at(-1)?.[0] ?? ''}`;
  }
  return found;
}

function fieldOf(fields: readonly string[], name: string): string {
  const at = fields.findIndex((field, index) => index % 2 === 0 && field === name);
  return at < 0 ? '' : (fields[at + 1] ?? '');
}
