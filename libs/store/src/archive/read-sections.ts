import type { RunKey } from '../keys.ts';
import { listRevisionKeys } from '../revision-keys.ts';
import type { RunHandle } from '../run-handle.ts';
import { runKeyDocs } from '../run-keys.ts';
import type { RedisClient } from '../script.ts';
import { readFields } from './copy-scripts.ts';
import type { RunSection } from './sections.ts';

/** Large enough to be quick, small enough that Redis answers others in between. */
const pageBytes = 262_144;
/** An entry of the feed has up to 12 KB. */
const entriesPerPage = 20;

/**
 * Everything that is kept of a run that has ended, but its record: page by page, so that no more than
 * one is in memory. Sorted sets are empty when a run has ended.
 */
export async function* readSections(
  redis: RedisClient,
  run: RunHandle,
): AsyncGenerator<RunSection> {
  for (const [name, { type }] of Object.entries(runKeyDocs)) {
    const key = run.names[name as RunKey]; // the names of this very table
    if (name === 'meta') continue;
    if (type === 'string') yield* readString(redis, name, key);
    else if (type === 'hash') yield* readHash(redis, run, name, key);
    else if (type === 'list') yield* readList(redis, name, key);
    else if (type === 'stream') yield* readStream(redis, name, key);
  }
  for (const { name, type, key } of await listRevisionKeys(redis, run)) {
    yield* type === 'string' ? readString(redis, name, key) : readHash(redis, run, name, key);
  }
}

async function* readString(
  redis: RedisClient,
  name: string,
  key: string,
): AsyncGenerator<RunSection> {
  const total = await redis.strlen(key);
  for (let offset = 0; offset < total; offset += pageBytes) {
    const bytes = await redis.getrangeBuffer(key, offset, offset + pageBytes - 1);
    yield { kind: 'string', key: name, offset, total, bytes };
  }
}

async function* readHash(
  redis: RedisClient,
  run: RunHandle,
  name: string,
  key: string,
): AsyncGenerator<RunSection> {
  let cursor = '0';
  do {
    const page = await readFields.run(redis, { names: run.names, more: [key] }, [cursor]);
    if (page.texts.length > 0) yield { kind: 'hash', key: name, texts: page.texts };
    cursor = page.cursor;
  } while (cursor !== '0');
}

async function* readList(
  redis: RedisClient,
  name: string,
  key: string,
): AsyncGenerator<RunSection> {
  for (let offset = 0; ; offset += entriesPerPage) {
    const texts = await redis.lrangeBuffer(key, offset, offset + entriesPerPage - 1);
    if (texts.length > 0) yield { kind: 'list', key: name, offset, texts };
    if (texts.length < entriesPerPage) return;
  }
}

async function* readStream(
  redis: RedisClient,
  name: string,
  key: string,
): AsyncGenerator<RunSection> {
  let from = '-';
  for (;;) {
    const page = await redis.xrangeBuffer(key, from, '+', 'COUNT', entriesPerPage);
    const last = page.at(-1);
    if (last === undefined) return;
    const entries = page.map(([id, fields]) => [id, ...fields]);
    yield { kind: 'stream', key: name, entries };
    from = `(${last[0].toString()}`;
  }
}
