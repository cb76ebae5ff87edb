import { DatabaseSync } from 'node:sqlite';
import type { SqlDatabase, SqlDialect, SqlRow, SqlSession, SqlValue } from '../sql/session.ts';

const dialect: SqlDialect = {
  bytes: 'blob',
  integer: 'integer',
  counted: 'integer primary key',
  text: 'text',
  textsOf: (parameter) => `select value from json_each(${parameter})`,
  tagOf: (tags, key) => `(select value from json_each(${tags}) where key = ${key})`,
  placeOf: (part, text) => `instr(lower(${text}), ${part})`,
};

/** Another process that writes is waited for so long. */
const busyMs = 10_000;
/** Statements that are kept prepared. */
const keptStatements = 100;

/** One file, for whoever shares its directory. Calls block: it lives in a thread of its own. */
export class SqliteDatabase implements SqlDatabase {
  readonly dialect: SqlDialect = dialect;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: busyMs });
    // Freed pages are given back step by step; only a new file takes this.
    this.#database.exec('pragma auto_vacuum = incremental');
    this.#database.exec('pragma journal_mode = wal');
    // What was sealed is removed from Redis next: it must be on the disk by then.
    this.#database.exec('pragma synchronous = full');
    this.#database.exec('pragma cache_size = -32768');
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.#prepare(sql).all(...values);
  }

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    this.#database.exec('begin immediate');
    try {
      const result = await work(this);
      this.#database.exec('commit');
      return result;
    } catch (error: unknown) {
      // Where the disk is full, or fails, SQLite has undone it by itself.
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    // SQLite numbers parameters with a question mark.
    const statement = this.#database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    if (this.#statements.size >= keptStatements) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}
