import { randomInt } from 'node:crypto';
import {
  type Archive,
  type ArchivedRun,
  type ArchivePart,
  isSameRecord,
  type Sealing,
} from '@runnel/archive';
import { failpoint, isFinalRunState, NotFoundError, runStates } from '@runnel/core';
import { encodeStatistics, readClassStatistics } from '@runnel/planning';
import {
  type DeletedRun,
  type RedisClient,
  RunInfo,
  readClasses,
  readRecord,
  readRunFacts,
  readSections,
  removeRun,
  runHandle,
  standOf,
  wasDeleted,
} from '@runnel/store';
import { packParts } from './pack-parts.ts';

export interface MoveContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly archive: Archive;
  now(): number;
}

/** `changed`: it was retried, edited, mended or deleted meanwhile, and is left as it is. */
export type Moved = 'moved' | 'changed';

/** An edit gives a sign each second; one that was left does not matter. */
const editMs = 60_000;
/** Classes of a run with more of them are not counted. */
const mostGroups = 10_000;
const mostClasses = 1_000;

/**
 * Moves a run that ended to the archive: copied part by part, sealed there in one transaction, then
 * removed from Redis if it still stands as it was copied. Who dies before the seal leaves a copy that nobody
 * sees, and that is dropped later; the run is copied anew. Who dies behind it leaves the run in both: it
 * counts as in Redis, and the next who comes finds the same record in the archive and only removes it.
 * Two may move it at once: who still finds its record after the copy has all of it, and of two copies of
 * one record the archive keeps the first.
 *
 * That a run is not in Redis any more does not say who removed it: this very call, whose reply was lost,
 * another one that moved it, or somebody who deleted it. Only the last leaves a mark.
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
  if (isBeingEdited(record, context.now())) return 'changed';
  const kept = await archive.read(id);
  const isThere = kept !== null && isSameRecord(kept.run.record, record);
  if (!isThere && !(await copyOut(context, id, record))) return 'changed';
  const removal = { set: 'ended', until: endedUntil, stand: standOf(record) } as const;
  if (await removeRun(redis, namespace, id, removal)) return 'moved';
  // What is in Redis counts more than its copy.
  const deleted = { id, createdAt: Number(record['created']) };
  if (await wasDeleted(redis, namespace, deleted)) await removeDeleted(archive, deleted);
  return 'changed';
}

function isBeingEdited(record: Readonly<Record<string, string>>, now: number): boolean {
  return record['editing'] !== undefined && now - Number(record['editingAt']) < editMs;
}

/** Takes a run that was deleted out of the archive; not another one that has its id since. */
export async function removeDeleted(
  archive: Archive,
  { id, createdAt }: Pick<DeletedRun, 'id' | 'createdAt'>,
): Promise<void> {
  const found = await archive.read(id);
  if (found?.run.createdAt === createdAt) await archive.remove(id);
}

/** False where the run changed while it was copied. */
async function copyOut(
  { redis, namespace, archive, now }: MoveContext,
  id: string,
  record: Readonly<Record<string, string>>,
): Promise<boolean> {
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
  const described = await describeRun({ redis, namespace }, id, record).catch(nullWhereGone);
  const after = await readRecord(redis, namespace, id);
  if (described === null || !isSameRecord(after, record)) return false;
  await failpoint('archive.before-seal');
  await archive.seal(key, { ...described, parts: last, partCount, now: now() });
  await failpoint('archive.after-seal');
  return true;
}

function nullWhereGone(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

async function describeRun(
  { redis, namespace }: Pick<MoveContext, 'redis' | 'namespace'>,
  id: string,
  record: Readonly<Record<string, string>>,
): Promise<Pick<Sealing, 'run' | 'statistics'>> {
  const facts = await readRunFacts(redis, namespace, id);
  const info = facts.groupCount > mostGroups ? null : new RunInfo(redis, facts);
  const counted = info === null ? null : await readClasses(redis, info);
  const classes = counted === null || counted.length > mostClasses ? null : counted;
  const { started, ended } = record;
  const run: ArchivedRun = {
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
    classes: classes === null ? null : JSON.stringify(classes),
  };
  if (info === null || classes === null) return { run, statistics: null };
  return { run, statistics: encodeStatistics(await readClassStatistics(redis, info)) };
}
