import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archive, ArchiveUnavailableError, openArchive } from '@runnel/archive';
import { createLogger } from '@runnel/service';
import {
  connectRedis,
  deleteRun,
  type RedisClient,
  runHandle,
  shardCount,
  shardOf,
} from '@runnel/store';
import { allSucceeded, StoreDriver } from '@runnel/store/store-driver';
import { planOf } from '@runnel/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ArchiveRuns } from './archive-runs.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'runnel-archive-'));
let redis: RedisClient;
let archive: Archive;
let count = 0;

beforeAll(async () => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
  const onError = (): undefined => undefined;
  const opened = await openArchive({ archive: 'sqlite', dataDir, namespace: 'n', onError });
  if (opened === null) throw new Error('there is no archive');
  archive = opened;
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await redis.quit();
  rmSync(dataDir, { recursive: true, force: true });
});

const node = {
  isBarrier: false,
  runIf: 'all-succeeded',
  attempts: ['succeeded'],
  retries: 0,
  parents: [],
  allowFailure: false,
} as const;

/** Runs that ended, in the order in which a listener of all shards comes to them. */
async function endedRuns(namespace: string, howMany: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = 0; n < howMany; n++) {
    const driver = await StoreDriver.submit(redis, namespace, planOf([node]));
    await driver.turn();
    await driver.settle([allSucceeded(await driver.claimed(1))]);
    ids.push(driver.run.id);
  }
  return ids.sort((a, b) => shardOf(a) - shardOf(b));
}

interface Movers {
  readonly moves: ArchiveRuns;
  readonly namespace: string;
  /** What the clock says is added to. */
  readonly clock: { now: number };
}

function moversOf(of: Archive, namespace = `moves${++count}`): Movers {
  const clock = { now: Date.now() + 60_000 };
  const moves = new ArchiveRuns({
    ...{ redis, namespace, archive: of, now: () => clock.now },
    leases: { owned: () => Array.from({ length: shardCount }, (_, shard) => shard) },
    ...{ keepMs: 0, archiveKeepMs: null, archiveMost: null },
    logger: createLogger({ name: 'listener', level: 'silent' }),
  });
  return { moves, namespace, clock };
}

const isInRedis = async (namespace: string, id: string): Promise<boolean> =>
  (await redis.exists(runHandle(namespace, id).names.meta)) === 1;

test('a run that can not be moved keeps no other from being moved, and is tried again later', async () => {
  let broken = '';
  let tries = 0;
  const picky: Archive = {
    ...archive,
    seal: (key, sealing) => {
      if (key.run !== broken) return archive.seal(key, sealing);
      tries++;
      return Promise.reject(new Error('a row that no database takes'));
    },
  };
  const { moves, namespace, clock } = moversOf(picky);
  const ids = await endedRuns(namespace, 6);
  broken = ids[0] ?? '';

  await moves.moveEnded();
  const left = await Promise.all(ids.map((id) => isInRedis(namespace, id)));
  await moves.moveEnded();
  const triesAtOnce = tries;
  clock.now += 61_000;
  await moves.moveEnded();
  const triesLater = tries;
  broken = '';
  clock.now += 121_000;
  await moves.moveEnded();

  expect(left).toEqual([true, false, false, false, false, false]);
  expect([triesAtOnce, triesLater]).toEqual([1, 2]);
  expect(await isInRedis(namespace, ids[0] ?? '')).toBe(false);
  expect(await archive.read(ids[0] ?? '')).not.toBeNull();
});

test('while the archive is away a round ends at its first word, and the next one moves everything', async () => {
  let isAway = true;
  let asked = 0;
  const away: Archive = {
    ...archive,
    read: (id) => {
      if (!isAway) return archive.read(id);
      asked++;
      return Promise.reject(new ArchiveUnavailableError('the archive does not answer'));
    },
  };
  const { moves, namespace } = moversOf(away);
  const ids = await endedRuns(namespace, 6);

  await expect(moves.moveEnded()).rejects.toThrow('does not answer');
  const left = await Promise.all(ids.map((id) => isInRedis(namespace, id)));
  isAway = false;
  await moves.moveEnded();

  expect(left).not.toContain(false);
  expect(asked).toBeLessThanOrEqual(4);
  for (const id of ids) expect(await isInRedis(namespace, id)).toBe(false);
});

test('what was deleted while somebody who died moved it goes from the archive', async () => {
  const { moves, namespace, clock } = moversOf(archive);
  const [id = ''] = await endedRuns(namespace, 1);
  const dying: Archive = {
    ...archive,
    async seal(...args) {
      await archive.seal(...args);
      await deleteRun(redis, namespace, id, clock.now);
      throw new Error('the process ends');
    },
  };
  const { moves: dead } = moversOf(dying, namespace);
  await dead.moveEnded();
  const before = await archive.read(id);

  await moves.dropDeleted();
  const early = await archive.read(id);
  clock.now += 3_600_001;
  await moves.dropDeleted();

  expect([before === null, early === null]).toEqual([false, false]);
  expect(await archive.read(id)).toBeNull();
});
