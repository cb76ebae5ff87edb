import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { archiveSuite } from '../archive.suite.ts';
import type { Archive } from '../archive.ts';
import { openArchive } from '../open-archive.ts';
import { openTables } from '../sql/schema.ts';
import { SqlArchive } from '../sql/sql-archive.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const dir = mkdtempSync(join(tmpdir(), 'runnel-archive-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;

async function open(namespace = `n${++count}`): Promise<Archive> {
  const onError = (): undefined => undefined;
  const archive = await openArchive({ archive: 'sqlite', dataDir: dir, namespace, onError });
  if (archive === null) throw new Error('there is no archive');
  return archive;
}

archiveSuite(open);

test('what was sealed is there when the file is opened again, also by two at once', async () => {
  const run = {
    ...{ id: 'a', name: null, tags: {}, state: 'failed', createdAt: 1, startedAt: 1, endedAt: 2 },
    ...{ taskCount: 1, priority: 0, revision: 1, record: {}, classes: null },
  };
  {
    await using archive = await open('again');
    await archive.seal(
      { run: 'a', copy: 1 },
      { run, parts: [], partCount: 0, statistics: null, now: 1 },
    );
  }
  await using one = await open('again');
  await using other = await open('again');

  await Promise.all(
    ['b', 'c', 'd', 'e'].map((id, index) =>
      (index % 2 === 0 ? one : other).seal(
        { run: id, copy: index + 2 },
        { run: { ...run, id }, parts: [], partCount: 0, statistics: null, now: 1 },
      ),
    ),
  );

  const { runs } = await one.find({ limit: 10 });
  expect(runs.map(({ id }) => id)).toEqual(['e', 'd', 'c', 'b', 'a']);
});

test('a file that is none of ours is refused with a remedy', async () => {
  const namespace = 'broken';
  {
    await using _ = await open(namespace);
  }
  writeFileSync(
    join(dir, 'archive', `${namespace}.sqlite`),
    'this is no database at all, it is text',
  );

  await expect(open(namespace)).rejects.toThrow(/can't be opened: .*RUNNEL_DATA.*RUNNEL_ARCHIVE/);
});

test('a full disk is told as such, undoes what was begun, and is forgotten when there is room', async () => {
  await using database = new SqliteDatabase(join(dir, 'full.sqlite'));
  await openTables(database, 'full');
  const archive = new SqlArchive(database);
  const [pages] = await database.all('pragma page_count');
  await database.all(`pragma max_page_count = ${Number(pages?.['page_count']) + 2}`);
  const key = { run: 'a', copy: 1 };
  const parts = [{ number: 0, bytes: new Uint8Array(100_000) }];

  await expect(archive.put(key, parts, 1)).rejects.toThrow('database or disk is full');
  const left = await database.all('select * from copies');
  await database.all('pragma max_page_count = 100000');
  await archive.put(key, parts, 1);

  expect(left).toEqual([]);
  expect(await archive.readParts(key, 0)).toHaveLength(1);
});

test('a file that is taken away is not written to, and one in its place is used', async () => {
  const seal = (archive: Archive, id: string, copy: number) => {
    const run = {
      ...{ id, name: null, tags: {}, state: 'failed', createdAt: 1, startedAt: 1, endedAt: 2 },
      ...{ taskCount: 1, priority: 0, revision: 1, record: {}, classes: null },
    };
    const sealing = { run, parts: [], partCount: 0, statistics: null, now: 1 };
    return archive.seal({ run: id, copy }, sealing);
  };
  const pathOf = (namespace: string) => join(dir, 'archive', `${namespace}.sqlite`);
  const ids = async (archive: Archive) => (await archive.find({ limit: 9 })).runs.map((r) => r.id);
  {
    await using other = await open('backup');
    await seal(other, 'of the backup', 1);
  }
  await using archive = await open('taken');
  await seal(archive, 'first', 1);
  for (const end of ['', '-wal', '-shm']) {
    renameSync(`${pathOf('taken')}${end}`, `${pathOf('aside')}${end}`);
  }

  await expect(seal(archive, 'lost', 2)).rejects.toMatchObject({
    name: 'ArchiveUnavailableError',
    message: expect.stringMatching(/taken.sqlite is gone: put it back, or start the process again/),
  });
  await expect(archive.find({ limit: 1 })).rejects.toThrow('is gone');
  renameSync(pathOf('backup'), pathOf('taken'));
  const ofBackup = await ids(archive);
  await seal(archive, 'second', 3);

  expect(ofBackup).toEqual(['of the backup']);
  expect(await ids(archive)).toEqual(['second', 'of the backup']);
  await using aside = await open('aside');
  expect(await ids(aside)).toEqual(['first']);
});

test('an archive of another layout is refused', async () => {
  {
    await using _ = await open('newer');
  }
  const database = new SqliteDatabase(join(dir, 'archive', 'newer.sqlite'));
  await database.all(`update about set value = '99' where name = 'version'`);
  await database[Symbol.asyncDispose]();

  await expect(open('newer')).rejects.toThrow('has layout 99; this version reads layout 1');
});
