import { z } from 'zod';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

const count = z.number().default(0);

const stored = z.object({
  at: z.number(),
  by: z.string().nullable().default(null),
  reused: count,
  kept: count,
  rerun: count,
  new: count,
  removed: count,
});

/** A revision that an edit made, and what became of the tasks of the one before. */
export interface Revision extends z.infer<typeof stored> {
  readonly revision: number;
}

/** The revisions that edits made, oldest first; the first of a run is none of them. */
export async function readRevisions(
  redis: RedisClient,
  { names }: Pick<RunHandle, 'names'>,
): Promise<readonly Revision[]> {
  const raw = await redis.hgetall(names.revisions);
  return Object.entries(raw)
    .map(([revision, text]) => ({ revision: Number(revision), ...stored.parse(JSON.parse(text)) }))
    .sort((a, b) => a.revision - b.revision);
}
