import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ArchivedRun } from '../archive.ts';
import { openTables } from '../sql/schema.ts';
import type { SqlDatabase } from '../sql/session.ts';
import { SqlArchive } from '../sql/sql-archive.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const runsPerTransaction = 5_000;

/** Fills a file with runs that have no tasks to read, many in one transaction: for measurements. */
export async function keepMany(path: string, runs: Iterable<ArchivedRun>): Promise<number> {
  const statistics = null;
  mkdirSync(dirname(path), { recursive: true });
  await using database = new SqliteDatabase(path);
  await openTables(database, path);
  // Its own transactions are parts of ours.
  const inner: SqlDatabase = {
    dialect: database.dialect,
    all: (sql, ...values) => database.all(sql, ...values),
    transaction: (work) => work(database),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const archive = new SqlArchive(inner);
  let count = 0;
  const left = Iterator.from(runs);
  for (;;) {
    const some: ArchivedRun[] = [];
    for (let next = left.next(); !next.done; next = left.next()) {
      some.push(next.value);
      if (some.length === runsPerTransaction) break;
    }
    if (some.length === 0) return count;
    await database.transaction(async () => {
      for (const run of some) {
        const key = { run: run.id, copy: ++count };
        await archive.seal(key, { run, parts: [], partCount: 0, statistics, now: run.endedAt });
      }
    });
  }
}
