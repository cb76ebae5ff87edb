import { pipeline, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createInflateRaw, inflateRaw } from 'node:zlib';
import { betweenTexts, NotFoundError, noSuchRun } from '@runnel/core';
import { areRows, type SpecRecord } from './chunks.ts';
import { keptSpecs, revisionKey } from './keys.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

const inflate = promisify(inflateRaw);

/** A spec as it is kept, read while it is taken. */
export type SpecText =
  | { readonly format: 'document'; readonly revision: number; readonly text: Readable }
  | {
      readonly format: 'tasks' | 'lines';
      readonly revision: number;
      /** The JSON of the spec without its tasks. */
      readonly head: string;
      /** Texts of tasks, several at once: see task-texts.ts. */
      readonly tasks: AsyncIterable<string>;
    };

const pageBytes = 262_144;

/**
 * Opens the spec of a run, however large: no more than a page of it is in memory. An earlier revision only while
 * it is kept: `keptSpecs` of them are. Throws NotFoundError.
 */
export async function openSpec(
  redis: RedisClient,
  namespace: string,
  id: string,
  asked?: number,
): Promise<SpecText> {
  const { names } = runHandle(namespace, id);
  const [format = null, stored = null] = await redis.hmget(names.meta, 'specFormat', 'revision');
  const last = Number(stored ?? 1);
  const revision = asked ?? last;
  const isOld = revision !== last;
  const keyOf = (part: 'spec' | 'payload'): string =>
    isOld ? revisionKey(namespace, id, { part, revision }) : names[part];
  const [spec, payload] = [keyOf('spec'), keyOf('payload')];
  const [bytes, chunks] = await Promise.all([redis.strlen(spec), redis.hlen(payload)]);
  if (bytes === 0)
    throw isOld && format !== null ? noSuchRevision(id, revision, last) : noSuchRun(id);
  const pages = readPages(redis, spec, bytes);
  // Where it breaks off, the reader of the text is told.
  const text = pipeline(pages, createInflateRaw(), () => undefined);
  // Of an earlier revision there are payloads only where the tasks stand in them.
  const ofOld = chunks > 0 ? 'tasks' : 'document';
  const parts = isOld ? ofOld : format;
  if (!isInParts(parts)) return { format: 'document', revision, text };
  const head = Buffer.concat(await text.toArray()).toString();
  return { format: parts, revision, head, tasks: readTasks(redis, payload, chunks) };
}

function noSuchRevision(id: string, revision: number, last: number): NotFoundError {
  const first = Math.max(1, last - keptSpecs);
  return new NotFoundError(
    `run ${id} has no revision ${revision}: there are ${first} to ${last}; of earlier ones the spec is not kept`,
  );
}

function isInParts(format: string | null): format is Exclude<SpecRecord['format'], 'document'> {
  return format === 'tasks' || format === 'lines';
}

async function* readPages(redis: RedisClient, key: string, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; at += pageBytes) {
    yield await redis.getrangeBuffer(key, at, at + pageBytes - 1);
  }
}

/** What was generated stands behind them, as rows: it is no part of the spec. */
async function* readTasks(redis: RedisClient, key: string, chunks: number): AsyncGenerator<string> {
  for (let chunk = 0; chunk < chunks; chunk++) {
    const raw = await redis.hgetBuffer(key, String(chunk));
    if (raw === null && (await redis.exists(key)) === 1) return;
    if (raw === null) throw new Error('the run was deleted while its spec was read');
    const text = (await inflate(raw)).toString();
    if (areRows(text)) return;
    yield text;
  }
}

type SpecInParts = Exclude<SpecText, { format: 'document' }>;

/** `{"name": "n"}` and two tasks as `{"name": "n","tasks":[…,…]}`. */
export async function* joinTasks({
  head,
  tasks,
}: Pick<SpecInParts, 'head' | 'tasks'>): AsyncGenerator<string> {
  const fields = head.trim().slice(0, -1).trimEnd();
  yield `${fields}${fields === '{' ? '' : ','}"tasks":[`;
  let between = '';
  for await (const texts of tasks) {
    yield between + texts;
    between = betweenTexts;
  }
  yield ']}';
}
