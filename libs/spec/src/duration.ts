import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Timers of JavaScript end at 2^31 ms, 24.8 days. */
const maxDurationMs = 24 * 86_400_000;
const pattern = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** `500ms`, `10s`, `1.5h` in milliseconds; null where it is not a duration. */
export function parseDuration(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const ms = Math.round(Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN));
  return ms <= maxDurationMs ? ms : null;
}

/** A field that takes a duration. */
export function duration(description: string): z.ZodString {
  return z
    .string({ error: ({ input }) => describeWrongType(input) })
    .regex(pattern, { error: ({ input }) => `${JSON.stringify(input)} is no duration: ${forms}` })
    .refine((text) => !pattern.test(text) || parseDuration(text) !== null, {
      error: 'a duration is at most 24d',
    })
    .describe(description);
}

const forms = 'write a number and its unit, such as "500ms", "10s", "10m", "2h" or "1d"';

function describeWrongType(input: unknown): string {
  if (typeof input !== 'number') return `expected a duration: ${forms}`;
  return `${input} could be ${input}ms or ${input}s: write "${input}s" or "${input}ms"`;
}
