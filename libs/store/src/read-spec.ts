import { pipeline, type Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { NotFoundError } from '@runnel/core';
import type { SpecRecord } from './chunks.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** A spec as it was submitted; its text is read while it is taken. */
export interface SpecText {
  readonly format: SpecRecord['format'];
  readonly text: Readable;
}

const pageBytes = 262_144;

/** Opens the spec of a run, however large: no more than a page of it is in memory. Throws NotFoundError. */
export async function openSpec(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<SpecText> {
  const { names } = runHandle(namespace, id);
  const [format, bytes] = await Promise.all([
    redis.hget(names.meta, 'specFormat'),
    redis.strlen(names.spec),
  ]);
  if (bytes === 0) throw new NotFoundError(`there is no run ${id}; it may have been deleted`);
  const pages = readPages(redis, names.spec, bytes);
  // Where it breaks off, the reader of the text is told.
  const text = pipeline(pages, createInflateRaw(), () => undefined);
  return { format: format === 'ndjson' ? 'ndjson' : 'json', text };
}

async function* readPages(redis: RedisClient, key: string, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; at += pageBytes) {
    yield await redis.getrangeBuffer(key, at, at + pageBytes - 1);
  }
}
