import { randomUUID } from 'node:crypto';
import { failpoint, noSuchRun } from '@runnel/core';
import { removeRun } from '../delete-run.ts';
import type { RunKey } from '../keys.ts';
import { PageWriter, removedMeanwhile } from '../page-writer.ts';
import { readRevisionKey } from '../revision-keys.ts';
import { type RunHandle, runHandle } from '../run-handle.ts';
import { runKeyDocs } from '../run-keys.ts';
import type { RedisClient } from '../script.ts';
import { createRun } from '../scripts.ts';
import { keepCopy, openCopy } from './copy-scripts.ts';
import { type RunSection, unknownKey } from './sections.ts';

/** What `remove-run` compares: the fields that change with a run that has ended. */
export function standOf(record: Readonly<Record<string, string>>): string {
  const fields = [
    ...['created', 'state', 'ended', 'events', 'logBytes', 'logsCut', 'repairs'],
    ...['editing', 'revision', 'hookRetries'],
  ];
  return fields.map((field) => record[field] ?? '').join(' ');
}

/** The run's own record, as it is; without a field where there is no such run. */
export function readRecord(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<Readonly<Record<string, string>>> {
  return redis.hgetall(runHandle(namespace, id).names.meta);
}

export interface CopyRequest {
  readonly id: string;
  readonly record: Readonly<Record<string, string>>;
  readonly sections: AsyncIterable<RunSection>;
  readonly now: number;
  readonly expiresAt: number;
}

/**
 * Brings a copy of an archived run into Redis. It travels as a submission does: `submitting` under a token
 * until it is whole, so that its id is taken, two who bring it do not write into each other, and a
 * janitor removes what a process that died left; what fails otherwise is removed at once. It is readable with
 * the last call, all at once. False where the id is taken, and nothing of the sections was read: it is
 * there, or on its way.
 */
export async function copyRun(
  redis: RedisClient,
  namespace: string,
  { id, record, sections, now, expiresAt }: CopyRequest,
): Promise<boolean> {
  const run = runHandle(namespace, id);
  const token = randomUUID();
  await failpoint('take-back.before-create');
  const found = await createRun.run(redis, run.keys, [
    ...[id, now, token, record['bodyHash'] ?? '', 'archived', 1],
  ]);
  if (found.state !== 'new') return false;
  try {
    await writeCopy(redis, run, { token, record, sections, expiresAt });
  } catch (error: unknown) {
    // The id is free at once; where this fails too, a janitor removes it.
    await dropCopy(redis, run, token).catch(() => undefined);
    throw error;
  }
  return true;
}

async function writeCopy(
  redis: RedisClient,
  run: RunHandle,
  request: Pick<CopyRequest, 'record' | 'sections' | 'expiresAt'> & { readonly token: string },
): Promise<void> {
  const { token, record, sections, expiresAt } = request;
  await failpoint('take-back.after-create');
  const pages = new PageWriter(redis, run, token);
  // First: a janitor knows by it which keys of earlier revisions there may be.
  const revision = ['revision', record['revision'] ?? '1'].map((text) => Buffer.from(text));
  await pages.writeFields(run.names.meta, revision);
  for await (const section of sections) await writeSection(pages, run, section);
  await pages.flush();
  await failpoint('take-back.before-open');
  const fields = Object.entries(record).flat();
  const opened = await openCopy.run(redis, run.keys, [run.id, token, expiresAt, ...fields]);
  await failpoint('take-back.after-open');
  if (opened !== 1) throw removedMeanwhile(run.id);
}

/** Removes a copy that is not open, and that nobody else has begun since under another token. */
async function dropCopy(
  redis: RedisClient,
  { namespace, id, names }: RunHandle,
  token: string,
): Promise<void> {
  const [state, begun] = await redis.hmget(names.meta, 'state', 'submitToken');
  if (state !== 'submitting' || begun !== token) return;
  await removeRun(redis, namespace, id, { set: 'submitting', until: Number.MAX_SAFE_INTEGER });
}

async function writeSection(pages: PageWriter, run: RunHandle, section: RunSection): Promise<void> {
  const known = Object.keys(runKeyDocs).find((name): name is RunKey => name === section.key);
  const key = known === undefined ? readRevisionKey(run, section.key)?.key : run.names[known];
  if (key === undefined) throw unknownKey(section.key);
  if (section.kind === 'string') await pages.writeBytes(key, section);
  else if (section.kind === 'hash') await pages.writeFields(key, section.texts);
  else if (section.kind === 'list') await pages.writeList(key, section);
  else for (const entry of section.entries) await pages.writeEntry(key, entry);
}

/** Has a copy stay longer, as one that is being read; nothing for any other run. */
export async function touchCopy(
  redis: RedisClient,
  namespace: string,
  id: string,
  expiresAt: number,
): Promise<void> {
  await redis.zadd(runHandle(namespace, id).names.copies, 'XX', 'GT', expiresAt, id);
}

/**
 * Makes a copy a run as any other that has ended; that it was deleted once means nothing any more. Throws NotFoundError where it has gone meanwhile.
 */
export async function keepRun(
  redis: RedisClient,
  namespace: string,
  id: string,
  now: number,
): Promise<void> {
  const run = runHandle(namespace, id);
  const kept = await keepCopy.run(redis, run.keys, [id, now]);
  await failpoint('take-back.after-keep');
  if (kept === 1) return;
  const [state, archived] = await redis.hmget(run.names.meta, 'state', 'archived');
  // Another one keeps it at the same time.
  if (state === null || state === undefined || archived === '1') throw noSuchRun(id);
}
