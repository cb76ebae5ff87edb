import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { archiveSuite } from '../archive.suite.ts';
import type { Archive } from '../archive.ts';
import { openArchive } from '../open-archive.ts';
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

test('an archive of another layout is refused', async () => {
  {
    await using _ = await open('newer');
  }
  const database = new SqliteDatabase(join(dir, 'archive', 'newer.sqlite'));
  await database.all(`update about set value = '99' where name = 'version'`);
  await database[Symbol.asyncDispose]();

  await expect(open('newer')).rejects.toThrow('has layout 99; this version reads layout 1');
});
