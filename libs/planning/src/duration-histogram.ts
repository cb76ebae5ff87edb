/** Buckets of a factor of two: a quantile is off by 4.4 % at most. */
const perDouble = 8;
/** The first bucket ends here; what is quicker counts as this. */
const leastMs = 0.001;

/** How often attempts took about so long: bucket -> count. Sums of them are as good as one of all. */
export type DurationCounts = Readonly<Record<string, number>>;

/** The bucket of a duration, from 0 on: the next one begins 2^(1/8) times higher. */
export function bucketOf(durationMs: number): number {
  if (!(durationMs > leastMs)) return 0;
  return 1 + Math.floor(Math.log2(durationMs / leastMs) * perDouble);
}

/** What to tell of a bucket: its geometric middle. */
export function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : leastMs * 2 ** ((bucket - 0.5) / perDouble);
}

/** Counts of both together. */
export function addCounts(one: DurationCounts, other: DurationCounts): DurationCounts {
  const sum: Record<string, number> = { ...one };
  for (const [bucket, count] of Object.entries(other)) sum[bucket] = (sum[bucket] ?? 0) + count;
  return sum;
}

/** The duration that a share of all attempts did not pass; null where there are none. */
export function quantileOf(counts: DurationCounts, share: number): number | null {
  const buckets = Object.entries(counts)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([one], [other]) => one - other);
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return null;
  let passed = 0;
  for (const [bucket, count] of buckets) {
    passed += count;
    if (passed >= share * all) return middleOf(bucket);
  }
  return middleOf(buckets.at(-1)?.[0] ?? 0);
}
