import { inflateRawSync } from 'node:zlib';
import { isJsonObject, type JsonObject, payloadChunk } from '@runnel/core';
import type { RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** Tasks whose texts lie together. */
export const entriesPerPage = payloadChunk;

/**
 * The tasks of one page (256 of them, by number) as they were sent. Null where the run did not come task
 * by task: then its spec is one document.
 */
export async function readEntryPage(
  redis: RedisClient,
  info: RunInfo,
  page: number,
): Promise<readonly JsonObject[] | null> {
  const { names } = info.facts.handle;
  const format = await redis.hget(names.meta, 'specFormat');
  if (format !== 'lines' && format !== 'tasks') return null;
  const raw = await redis.hgetBuffer(names.payload, String(page));
  if (raw === null) return [];
  const rows: unknown = JSON.parse(`[${inflateRawSync(raw).toString()}]`);
  return Array.isArray(rows) ? rows.filter(isJsonObject) : [];
}
