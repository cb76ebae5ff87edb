/** The value that a part of all values does not exceed; 0 of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** Milliseconds as a line for people. */
export function describeMs(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) =>
    (percentile(values, part) / 1_000).toFixed(1),
  );
  return `p50 ${p50} s, p99 ${p99} s, longest ${most} s (${values.length})`;
}
