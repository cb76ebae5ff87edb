import { findPostgres, type PostgresServer, startPostgres } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveSuite } from '../archive.suite.ts';
import type { Archive } from '../archive.ts';
import { openArchive } from '../open-archive.ts';
import type { SqlSession } from '../sql/session.ts';
import { PostgresDatabase } from './postgres-database.ts';

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

  test('a server that is away at the start is told, and used when it is there', async () => {
    const namespace = `Name-${++count}`;
    const told: string[] = [];
    const onError = (error: Error): undefined => {
      told.push(error.message);
    };
    await server.kill();
    await using archive = await openArchive({
      ...{ archive: server.url, dataDir: '', namespace, onError },
    });
    const early = await archive?.find({ limit: 1 }).catch((error: unknown) => error);
    await server.start();

    expect(told.join()).toMatch(/does not answer: .*; runs that ended stay in Redis until it does/);
    expect(early).toMatchObject({ name: 'ArchiveUnavailableError' });
    expect(await archive?.find({ limit: 1 })).toEqual({ runs: [], next: null });
  });

  test('a server that takes no writes for a while is unavailable, and can be read', async () => {
    await using archive = await open();
    await using admin = new PostgresDatabase({
      ...{ url: server.url, schema: 'public', onError: () => undefined },
    });
    await admin.all('alter role runnel set default_transaction_read_only = on');
    await using standby = await open(`Name-${count}`);
    const written = await standby.remove('a').catch((error: unknown) => error);
    const found = await archive.find({ limit: 1 });
    await admin.all('alter role runnel reset default_transaction_read_only');

    expect(written).toMatchObject({ name: 'ArchiveUnavailableError' });
    expect(found).toEqual({ runs: [], next: null });
  });

  test('a server that falls silent in the middle is given up, and nothing stays busy with it', async () => {
    await using database = new PostgresDatabase({
      ...{ url: server.url, schema: 'public', onError: () => undefined, silenceMs: 300 },
    });
    const stopped: number[] = [];
    const stopOwn = async (session: SqlSession): Promise<void> => {
      const [row] = await session.all('select pg_backend_pid() as pid');
      const pid = Number(row?.['pid']);
      stopped.push(pid);
      process.kill(pid, 'SIGSTOP');
    };
    try {
      const work = database.transaction(async (session) => {
        await stopOwn(session);
        return await session.all('select 1 as n');
      });
      await expect(work).rejects.toMatchObject({ name: 'ArchiveUnavailableError' });
      await stopOwn(database);
      await expect(database.all('select 1 as n')).rejects.toMatchObject({
        name: 'ArchiveUnavailableError',
      });

      expect(await database.all('select 2 as n')).toEqual([{ n: 2 }]);
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
    }
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
