import { SetupError } from '@runnel/core';
import { ArchiveUnavailableError } from '../archive.ts';
import type { SqlDatabase, SqlDialect, SqlRow, SqlSession, SqlValue } from './session.ts';

/**
 * A database that was away at the start: whatever is asked first opens it, again and again until that works.
 * So a process starts, and does its other work, while the archive is away.
 */
export class DatabaseOpenedLater implements SqlDatabase {
  readonly dialect: SqlDialect;
  readonly #database: SqlDatabase;
  readonly #open: () => Promise<void>;
  #opening: Promise<void> | null = null;

  constructor(database: SqlDatabase, open: () => Promise<void>) {
    this.dialect = database.dialect;
    this.#database = database;
    this.#open = open;
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    await this.#opened();
    return await this.#database.all(sql, ...values);
  }

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    await this.#opened();
    return await this.#database.transaction(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }

  async #opened(): Promise<void> {
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } catch (error: unknown) {
      this.#opening = null;
      // Nobody can end a process that works for it; what is wrong is said with each call.
      if (error instanceof SetupError) throw new ArchiveUnavailableError(error.message);
      throw error;
    }
  }
}
