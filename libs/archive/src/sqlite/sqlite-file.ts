import { statSync } from 'node:fs';
import { ArchiveUnavailableError } from '../archive.ts';
import { openTables } from '../sql/schema.ts';
import { SqlArchive } from '../sql/sql-archive.ts';
import { SqliteDatabase } from './sqlite-database.ts';

/**
 * The archive in a file, and still in the file that has the name. SQLite goes on with one that was removed or
 * replaced as if nothing were: what it wrote there, and Redis then gave up, would be gone with the process.
 */
export class SqliteFile implements AsyncDisposable {
  readonly #path: string;
  #opened: { readonly archive: SqlArchive; readonly file: string } | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens the file, and makes it where there is none. */
  async open(): Promise<void> {
    const database = new SqliteDatabase(this.#path);
    try {
      await openTables(database, this.#path);
      const file = identityOf(this.#path) ?? '';
      this.#opened = { archive: new SqlArchive(database), file };
    } catch (error: unknown) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens the file anew where another one has its place. Throws ArchiveUnavailableError where there is none. */
  async use(): Promise<SqlArchive> {
    const file = identityOf(this.#path);
    if (file === null) {
      // Not made anew: whoever took it away may be about to put it, or another one, back.
      throw new ArchiveUnavailableError(
        `the archive ${this.#path} is gone: put it back, or start the process again for an empty one`,
      );
    }
    if (this.#opened?.file !== file) {
      await this[Symbol.asyncDispose]();
      await this.open();
    }
    if (this.#opened === null) throw new Error('the archive is not open');
    return this.#opened.archive;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await opened?.archive[Symbol.asyncDispose]();
  }
}

/** Tells a file from any other that has its name later; null: there is none. */
function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
