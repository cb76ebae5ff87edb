import type { Archive, ArchivedCopy, ArchivePart } from '@runnel/archive';
import { ConflictError } from '@runnel/core';
import { copyRun, type RedisClient } from '@runnel/store';
import { partBytes, unpackParts } from './pack-parts.ts';

/** How long a copy stays after it was last read. */
export const copyStaysMs = 600_000;

export interface TakeBackContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly archive: Archive;
  now(): number;
}

/** At most so many bytes it will take in Redis. */
export function sizeOfCopy({ partCount }: Pick<ArchivedCopy, 'partCount'>): number {
  return partCount * partBytes;
}

/**
 * Brings a run of the archive into Redis, as it was, to be read for a while. False where another one is
 * bringing it, or has.
 */
export async function takeBack(context: TakeBackContext, found: ArchivedCopy): Promise<boolean> {
  const { redis, namespace, archive, now } = context;
  const { id, record } = found.run;
  return await copyRun(redis, namespace, {
    id,
    record,
    sections: unpackParts(readParts(archive, found)),
    now: now(),
    expiresAt: now() + copyStaysMs,
  });
}

/** Throws where another copy has taken its place, or the run was deleted. */
async function* readParts(
  archive: Archive,
  { run, copy, partCount }: ArchivedCopy,
): AsyncGenerator<ArchivePart, void, undefined> {
  for (let next = 0; next < partCount; ) {
    const parts = await archive.readParts({ run: run.id, copy }, next);
    if (parts.length === 0) {
      throw new ConflictError(
        `run ${run.id} was changed or deleted while it was read from the archive: ask again`,
        'IN_FLIGHT',
      );
    }
    yield* parts;
    next += parts.length;
  }
}
