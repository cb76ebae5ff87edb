import { type Archive, openArchive } from '@runnel/archive';
import { systemClock } from '@runnel/core';
import { moveRun } from '@runnel/engine';
import { connectRedis, type RedisClient } from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';
import { RoomGuard } from '../room-guard.ts';
import { ArchivedRuns } from './archived-runs.ts';
import { deleteAnywhere } from './delete-anywhere.ts';

let api: TestApi;
let archive: Archive;
let redis: RedisClient;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
  redis = connectRedis(inject('redisUrl'), () => undefined);
  const opened = await openArchive({ ...api.settings, onError: () => undefined });
  if (opened === null) throw new Error('there is no archive');
  archive = opened;
});
afterAll(async () => {
  redis.disconnect();
  await archive[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

async function ended(): Promise<string> {
  const { id } = await api.client.submitRun({ value: pair });
  await api.client.cancelRun(id);
  return id;
}

/** Deletes a run with an archive of which something is different. */
async function remove(id: string, of: Archive): Promise<void> {
  const { namespace, settings } = api;
  const clock = systemClock;
  const room = new RoomGuard(redis, clock);
  const runs = new ArchivedRuns({ archive: of, redis, namespace, room, clock });
  await deleteAnywhere({ redis, settings, runs, archive: of, clock }, id);
}

const move = (id: string) =>
  moveRun({ redis, namespace: api.namespace, archive, now: Date.now }, id, Number.MAX_SAFE_INTEGER);

test('a run that is moved while it is deleted is nowhere then', async () => {
  const id = await ended();
  let removals = 0;
  const moving: Archive = {
    ...archive,
    async remove(of) {
      const isRemoved = await archive.remove(of);
      // Between the look into the archive and that into Redis.
      if (++removals === 1) expect(await move(id)).toBe('moved');
      return isRemoved;
    },
  };

  await remove(id, moving);

  await expect(api.client.getRun(id)).rejects.toMatchObject({ status: 404 });
  expect(await archive.read(id)).toBeNull();
});

test('where the archive is away nothing is deleted, and it can be asked again', async () => {
  const id = await ended();
  const away: Archive = { ...archive, remove: () => Promise.reject(new Error('away')) };

  await expect(remove(id, away)).rejects.toThrow('away');
  const left = await api.client.getRun(id);
  await remove(id, archive);

  expect(left.state).toBe('cancelled');
  await expect(remove(id, archive)).rejects.toMatchObject({ name: 'NotFoundError' });
});
