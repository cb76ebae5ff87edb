import { randomInt } from 'node:crypto';
import type { Archive, ArchivedRun, ArchivePart } from '@runnel/archive';
import { failpoint, isFinalRunState, runStates } from '@runnel/core';
import {
  type RedisClient,
  RunInfo,
  readClasses,
  readRecord,
  readRunFacts,
  readSections,
  removeRun,
  runHandle,
  standOf,
} from '@runnel/store';
import { packParts } from './pack-parts.ts';

export interface MoveContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly archive: Archive;
  now(): number;
}

/** `changed`: it was retried, mended or deleted meanwhile, and is left as it is. */
export type Moved = 'moved' | 'changed';

/** Classes of a run with more of them are not counted. */
const mostGroups = 10_000;
const mostClasses = 1_000;

/**
 * Moves a run that ended to the archive: copied part by part, sealed there in one transaction, then
 * removed from Redis if it still stands as it was copied. Who dies before the seal leaves a copy that nobody
 * sees, and that is dropped later; the run is copied anew. Who dies behind it leaves the run in both: it
 * counts as in Redis, and the next who comes finds the same record in the archive and only removes it.
 * Two who move it at once make two copies, of which the later takes the place of the other.
 */
export async function moveRun(
  context: MoveContext,
  id: string,
  endedUntil: number,
): Promise<Moved> {
  const { redis, namespace, archive } = context;
  const record = await readRecord(redis, namespace, id);
  const state = runStates.find((known) => known === record['state']);
  if (state === undefined || !isFinalRunState(state)) return 'changed';
  const kept = await archive.read(id);
  const isThere = kept !== null && isSame(kept.run.record, record);
  const copy = isThere ? kept.copy : await copyOut(context, id, record);
  const removal = { set: 'ended', until: endedUntil, stand: standOf(record) } as const;
  if (await removeRun(redis, namespace, id, removal)) return 'moved';
  // Deleted while it was copied: it must not come back. Any other that is in Redis counts more than its copy.
  const now = await readRecord(redis, namespace, id);
  const sealed = now['state'] === undefined ? await archive.read(id) : null;
  if (sealed?.copy === copy && !isThere) await archive.remove(id);
  return 'changed';
}

/** Returns the number of the copy. */
async function copyOut(
  { redis, namespace, archive, now }: MoveContext,
  id: string,
  record: Readonly<Record<string, string>>,
): Promise<number> {
  const run = runHandle(namespace, id);
  const key = { run: id, copy: randomInt(2 ** 47) };
  await failpoint('archive.before-copy');
  let last: readonly ArchivePart[] = [];
  let partCount = 0;
  for await (const part of packParts(readSections(redis, run))) {
    // The last goes with the seal, so that most runs are one transaction.
    if (last.length > 0) await archive.put(key, last, now());
    if (last.length > 0) await failpoint('archive.after-part');
    last = [part];
    partCount++;
  }
  const archived = await describeRun({ redis, namespace }, id, record);
  await failpoint('archive.before-seal');
  await archive.seal(key, { run: archived, parts: last, partCount, now: now() });
  await failpoint('archive.after-seal');
  return key.copy;
}

async function describeRun(
  { redis, namespace }: Pick<MoveContext, 'redis' | 'namespace'>,
  id: string,
  record: Readonly<Record<string, string>>,
): Promise<ArchivedRun> {
  const facts = await readRunFacts(redis, namespace, id);
  const classes =
    facts.groupCount > mostGroups ? null : await readClasses(redis, new RunInfo(redis, facts));
  const { started, ended } = record;
  return {
    id,
    name: facts.name,
    tags: facts.tags,
    state: record['state'] ?? '',
    createdAt: facts.createdAt,
    startedAt: started === undefined ? null : Number(started),
    endedAt: Number(ended ?? 0),
    taskCount: facts.nodeCount - facts.barrierCount,
    priority: facts.priority,
    revision: facts.revision,
    record,
    classes: classes === null || classes.length > mostClasses ? null : JSON.stringify(classes),
  };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
