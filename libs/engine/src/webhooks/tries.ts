/** How often a message is tried: over about a day, with the delays below. */
export const maxTries = 12;

const firstDelayMs = 5_000;
const factor = 3;
const longestDelayMs = 6 * 3_600_000;
/** A receiver can't put off a message for longer. */
const longestRetryAfterMs = 24 * 3_600_000;

/**
 * The delay after so many tries that failed: 5 s, 15 s, 45 s, …, at most 6 h, give or take a fifth, and at least
 * what the receiver asks for.
 *
 * @param random in [0, 1)
 */
export function nextTryDelayMs(tries: number, retryAfterMs: number | null, random: number): number {
  const base = Math.min(longestDelayMs, firstDelayMs * factor ** (tries - 1));
  const delay = Math.floor(base * (0.8 + 0.4 * random));
  return Math.max(delay, Math.min(retryAfterMs ?? 0, longestRetryAfterMs));
}

/** What `Retry-After` says, in seconds or as a date; null where it says nothing that can be read. */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : Math.max(0, time - now);
}
