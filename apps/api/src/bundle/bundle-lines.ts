import { z } from 'zod';

/** Raised where a reader of an older one would read it wrongly. */
export const bundleVersion = 1;

/** First line: what the bundle is of. Its spec follows in the same object. */
export const bundleHead = z.looseObject({
  runnelBundle: z.literal(bundleVersion, {
    error: `must be ${bundleVersion}: another version of Runnel wrote this bundle`,
  }),
  run: z.looseObject({ id: z.string().regex(/^[\w-]{1,64}$/, 'is no id of a run') }),
  /** The run's own record. */
  record: z.record(z.string(), z.string()),
});
export type BundleHead = z.infer<typeof bundleHead>;

/** Pages of the run's keys as they were, in order: compressed, in base64. */
export const bundlePart = z.object({ part: z.int().nonnegative(), data: z.base64() });

/** A line of which nothing is known. */
export const bundleLine = z.looseObject({});

/** Last line: what came before it. */
export const bundleEnd = z.object({
  end: z.object({
    tasks: z.int().nonnegative(),
    parts: z.int().nonnegative(),
    /** Of all lines before, with their line breaks. */
    sha256: z.string(),
  }),
});
