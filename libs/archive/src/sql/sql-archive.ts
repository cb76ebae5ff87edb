import type {
  Archive,
  ArchivedCopy,
  ArchivePage,
  ArchivePart,
  ArchiveQuery,
  CopyKey,
  KeptStatistics,
  PruneRequest,
  Sealing,
  TagValue,
  TagValuesRequest,
} from '../archive.ts';
import { findRuns } from './find-runs.ts';
import {
  addLabels,
  everyRun,
  findLabels,
  removeLabels,
  searchableTags,
  tagLabel,
  tagPrefix,
} from './labels.ts';
import {
  encodeRecord,
  isOfRecord,
  packText,
  readTags,
  runColumns,
  toRun,
  unpackText,
} from './rows.ts';
import { searchable } from './searchable.ts';
import { bytesOf, numberOf, type SqlDatabase, type SqlSession, textOf } from './session.ts';

/** What one read of parts brings. */
const partsPerRead = 2;

/** The archive in tables, for either database. */
export class SqlArchive implements Archive {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  put(key: CopyKey, parts: readonly ArchivePart[], now: number): Promise<void> {
    return this.#database.transaction((session) => putParts(session, key, parts, now));
  }

  seal(key: CopyKey, sealing: Sealing): Promise<boolean> {
    return this.#database.transaction((session) => sealCopy(session, key, sealing));
  }

  async read(id: string): Promise<ArchivedCopy | null> {
    if (isNoId(id)) return null;
    const [row] = await this.#database.all(
      `select ${runColumns} from runs join copies on copies.copy = runs.copy where runs.id = $1`,
      id,
    );
    return row === undefined ? null : toRun(row);
  }

  async readParts({ copy }: CopyKey, from: number): Promise<readonly ArchivePart[]> {
    const rows = await this.#database.all(
      'select number, bytes from parts where copy = $1 and number >= $2 order by number limit $3',
      copy,
      from,
      partsPerRead,
    );
    return rows.map((row) => ({ number: numberOf(row, 'number'), bytes: bytesOf(row, 'bytes') }));
  }

  async known(ids: readonly string[]): Promise<readonly string[]> {
    const texts = this.#database.dialect.textsOf('$1');
    const rows = await this.#database.all(
      `select id from runs where id in (${texts})`,
      JSON.stringify(ids),
    );
    return rows.map((row) => textOf(row, 'id'));
  }

  async readStatistics(ids: readonly string[]): Promise<readonly KeptStatistics[]> {
    const texts = this.#database.dialect.textsOf('$1');
    const rows = await this.#database.all(
      `select runs.id, copies.statistics from runs join copies on copies.copy = runs.copy
       where runs.id in (${texts}) and copies.statistics is not null`,
      JSON.stringify(ids),
    );
    return rows.map((row) => ({
      id: textOf(row, 'id'),
      statistics: unpackText(row, 'statistics'),
    }));
  }

  async remove(id: string): Promise<boolean> {
    if (isNoId(id)) return false;
    return await this.#database.transaction((session) => removeRun(session, id));
  }

  find(query: ArchiveQuery): Promise<ArchivePage> {
    return findRuns(this.#database, query);
  }

  async listTagKeys(): Promise<readonly TagValue[]> {
    const rows = await this.#database.all(
      `select key, sum(runs) as total from label_values where key >= $1 and key < $2
       group by key order by key`,
      tagPrefix,
      'tag;',
    );
    return rows.map((row) => ({
      value: textOf(row, 'key').slice(tagPrefix.length),
      runs: Number(row['total']),
    }));
  }

  async listTagValues(request: TagValuesRequest): Promise<readonly TagValue[]> {
    const found = await findLabels(this.#database, {
      ...request,
      key: tagLabel(request.key),
      prefix: searchable(request.prefix),
    });
    return found.map(({ value, runs }) => ({ value, runs }));
  }

  async prune({ endedBefore, mostRuns, limit }: PruneRequest): Promise<number> {
    const { key, value } = everyRun;
    const [count] = await this.#database.all(
      'select runs from label_values where key = $1 and value = $2',
      ...[key, value],
    );
    const total = count === undefined ? 0 : numberOf(count, 'runs');
    const beyond = mostRuns === null ? 0 : Math.max(0, total - mostRuns);
    const rows = await this.#database.all(
      'select id, ended from runs order by ended, id limit $1',
      limit,
    );
    let removed = 0;
    for (const [index, row] of rows.entries()) {
      const isTooOld = endedBefore !== null && numberOf(row, 'ended') < endedBefore;
      if (!isTooOld && index >= beyond) break;
      if (await this.remove(textOf(row, 'id'))) removed++;
    }
    return removed;
  }

  async dropUnsealed(before: number): Promise<number> {
    const rows = await this.#database.all(
      'select copy from copies where sealed = 0 and touched < $1 limit 100',
      before,
    );
    for (const row of rows) {
      await this.#database.transaction(async (session) => {
        // Sealed or touched meanwhile: it lives.
        const [gone] = await session.all(
          'delete from copies where copy = $1 and sealed = 0 and touched < $2 returning copy',
          numberOf(row, 'copy'),
          before,
        );
        if (gone !== undefined) await dropParts(session, numberOf(gone, 'copy'));
      });
    }
    return rows.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }
}

/** What no run can be called, and PostgreSQL takes in no text. */
function isNoId(id: string): boolean {
  return id.includes('\0');
}

async function putParts(
  session: SqlSession,
  { run, copy }: CopyKey,
  parts: readonly ArchivePart[],
  now: number,
): Promise<void> {
  await session.all(
    `insert into copies (copy, run, touched) values ($1, $2, $3)
     on conflict (copy) do update set touched = excluded.touched`,
    ...[copy, run, now],
  );
  for (const { number, bytes } of parts) {
    await session.all(
      'insert into parts (copy, number, bytes) values ($1, $2, $3) on conflict do nothing',
      ...[copy, number, bytes],
    );
  }
}

async function sealCopy(
  session: SqlSession,
  key: CopyKey,
  { run, parts, partCount, statistics, now }: Sealing,
): Promise<boolean> {
  const { copy } = key;
  await putParts(session, key, parts, now);
  const [count] = await session.all('select count(*) as n from parts where copy = $1', copy);
  if (count === undefined || Number(count['n']) !== partCount) {
    throw new Error(`copy ${copy} of run ${run.id} has lost parts: it is made again`);
  }
  const [before] = await session.all(
    'select runs.copy, copies.record from runs join copies on copies.copy = runs.copy where runs.id = $1',
    run.id,
  );
  // Sent again.
  if (before !== undefined && numberOf(before, 'copy') === copy) return true;
  if (before !== undefined && isOfRecord(before, run)) {
    await session.all('delete from copies where copy = $1', copy);
    await dropParts(session, copy);
    return false;
  }
  if (before !== undefined) await removeRun(session, run.id);
  await session.all(
    'update copies set sealed = 1, record = $2, statistics = $3 where copy = $1',
    copy,
    encodeRecord(run),
    statistics === null ? null : packText(statistics),
  );
  await session.all(
    `insert into runs (id, created, started, ended, state, name, tags, tasks, priority, revision, part_count, copy)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    ...[run.id, run.createdAt, run.startedAt, run.endedAt, run.state],
    run.name === null ? null : searchable(run.name),
    ...[
      JSON.stringify(searchableTags(run.tags)),
      run.taskCount,
      run.priority,
      run.revision,
      partCount,
      copy,
    ],
  );
  await addLabels(session, run);
  return true;
}

async function removeRun(session: SqlSession, id: string): Promise<boolean> {
  const [row] = await session.all(
    'delete from runs where id = $1 returning copy, created, state, name, tags',
    id,
  );
  if (row === undefined) return false;
  const name = row['name'];
  await removeLabels(session, {
    id,
    createdAt: numberOf(row, 'created'),
    state: textOf(row, 'state'),
    name: typeof name === 'string' ? name : null,
    tags: readTags(row),
  });
  const copy = numberOf(row, 'copy');
  await session.all('delete from copies where copy = $1', copy);
  await dropParts(session, copy);
  return true;
}

async function dropParts(session: SqlSession, copy: number): Promise<void> {
  await session.all('delete from parts where copy = $1', copy);
}
