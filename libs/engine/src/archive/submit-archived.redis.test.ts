import { ArchiveUnavailableError } from '@runnel/archive';
import { connectRedis, type RedisClient, readRuns } from '@runnel/store';
import { planOf } from '@runnel/testing';
import { beforeAll, expect, inject, test } from 'vitest';
import { cancelRun } from '../cancel.ts';
import type { ExecutorFacts } from '../executors.ts';
import { type Submission, type SubmitContext, submitRun } from '../submit.ts';
import { openTestArchive } from './archive.test-kit.ts';
import { moveRun } from './move-run.ts';

let redis: RedisClient;
let count = 0;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
  return async () => {
    await redis.quit();
  };
});

const executors: ExecutorFacts = {
  lane: () => 'computes',
  maxBatch: () => 1,
  isSideBySide: () => false,
};

const submission: Submission = {
  plan: planOf([
    {
      isBarrier: false,
      runIf: 'all-succeeded',
      attempts: ['succeeded'],
      retries: 0,
      parents: [],
      allowFailure: false,
    },
  ]),
  spec: { kind: 'document', value: { tasks: [] } },
  source: null,
  priority: 0,
  idempotency: { client: 'c', key: 'k' },
};

function contextOf(readArchivedHash: SubmitContext['readArchivedHash']): SubmitContext {
  return {
    ...{ redis, namespace: `keyed${++count}`, now: 1, executors },
    ...(readArchivedHash === undefined ? {} : { readArchivedHash }),
  };
}

test('a key that is sent again is known while the archive is away, another one is not', async () => {
  let isAway = false;
  const context = contextOf(async () => {
    if (isAway) throw new ArchiveUnavailableError('the archive does not answer');
    return null;
  });
  const first = await submitRun(context, submission);
  isAway = true;

  const again = await submitRun(context, submission);
  const idempotency = { client: 'c', key: 'another' };
  const other = submitRun(context, { ...submission, idempotency });

  expect([first.isNew, again]).toEqual([true, { runId: first.runId, isNew: false }]);
  await expect(other).rejects.toMatchObject({ name: 'ArchiveUnavailableError' });
});

test('a run that moves while its key is sent again does not run again', async () => {
  await using archive = await openTestArchive();
  const read = async (id: string) => (await archive.read(id))?.run.record['bodyHash'] ?? null;
  const context = contextOf(async (id) => {
    const hash = await read(id);
    const until = Number.MAX_SAFE_INTEGER;
    // After the look into the archive, before the run is stored.
    if (isMoving) await moveRun({ ...context, archive, now: Date.now }, id, until);
    return hash;
  });
  let isMoving = false;
  const { runId } = await submitRun(context, submission);
  await cancelRun(redis, context.namespace, runId, 5, null);
  isMoving = true;

  const again = await submitRun(context, submission);
  isMoving = false;
  await moveRun({ ...context, archive, now: Date.now }, runId, Number.MAX_SAFE_INTEGER);
  const later = await submitRun(context, submission);

  expect([again, later]).toEqual([
    { runId, isNew: false },
    { runId, isNew: false },
  ]);
  expect(await readRuns(redis, context.namespace, [runId])).toEqual([]);
});
