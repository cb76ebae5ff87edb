import { findPostgres, type PostgresServer, startPostgres } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveSuite } from '../archive.suite.ts';
import type { Archive } from '../archive.ts';
import { openArchive } from '../open-archive.ts';

const bin = findPostgres();
let server: PostgresServer;
let count = 0;

async function open(namespace = `Name-${++count}`): Promise<Archive> {
  const onError = (): undefined => undefined;
  const archive = await openArchive({ archive: server.url, dataDir: '', namespace, onError });
  if (archive === null) throw new Error('there is no archive');
  return archive;
}

describe.skipIf(bin === null)('PostgreSQL (skipped where it is not on the machine)', () => {
  beforeAll(async () => {
    server = await startPostgres(bin ?? '');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  archiveSuite(() => open());

  test('a server that is gone is told as such, and used again when it is back', async () => {
    await using archive = await open();
    await archive.find({ limit: 1 });

    await server.kill();
    await expect(archive.find({ limit: 1 })).rejects.toMatchObject({
      name: 'ArchiveUnavailableError',
    });
    await expect(archive.remove('a')).rejects.toMatchObject({ name: 'ArchiveUnavailableError' });
    await server.start();

    expect(await archive.find({ limit: 1 })).toEqual({ runs: [], next: null });
  });

  test('many who keep runs with the same tags at once do not get into each other', async () => {
    await using one = await open('together');
    await using other = await open('together');
    const tags = { team: 'data', env: 'test' };
    const ids = Array.from({ length: 20 }, (_, n) => `r${n}`);

    await Promise.all(
      ids.map((id, n) =>
        (n % 2 === 0 ? one : other).seal(
          { run: id, copy: n },
          {
            run: {
              ...{ id, name: 'n', tags, state: 'failed', createdAt: n, startedAt: 1, endedAt: 2 },
              ...{ taskCount: 1, priority: 0, revision: 1, record: {}, classes: null },
            },
            ...{ parts: [], partCount: 0, statistics: null, now: 1 },
          },
        ),
      ),
    );

    expect(await one.listTagValues({ key: 'team', prefix: '', limit: 9 })).toEqual([
      { value: 'data', runs: 20 },
    ]);
  });
});
