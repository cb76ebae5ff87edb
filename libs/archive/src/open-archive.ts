import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from '@runnel/core';
import { type Archive, ArchiveUnavailableError } from './archive.ts';
import { PostgresDatabase } from './postgres/postgres-database.ts';
import { DatabaseOpenedLater } from './sql/opened-later.ts';
import { openTables } from './sql/schema.ts';
import { SqlArchive } from './sql/sql-archive.ts';
import { openThreaded } from './sqlite/threaded-archive.ts';

export interface OpenArchive {
  /** `none`, `sqlite`, or the address of a PostgreSQL database. */
  readonly archive: string;
  /** SQLite's file is in here. */
  readonly dataDir: string;
  /** Each namespace has an archive of its own. */
  readonly namespace: string;
  /** Told of connections that break while nobody uses them, and of a server that is away at the start. */
  onError(error: Error): void;
}

/**
 * Opens the archive that the settings name, and makes its tables where there are none. Null for `none`.
 * Throws SetupError where it can't be used. A PostgreSQL that does not answer is told to `onError`, and used when it
 * does; until then each call throws ArchiveUnavailableError.
 */
export async function openArchive(options: OpenArchive): Promise<Archive | null> {
  const { archive } = options;
  if (archive === 'none') return null;
  return archive === 'sqlite' ? await openSqlite(options) : await openPostgres(options);
}

/** Where SQLite's file is. */
export function sqlitePath({ dataDir, namespace }: Omit<OpenArchive, 'onError'>): string {
  return join(dataDir, 'archive', `${namespace}.sqlite`);
}

async function openSqlite(options: OpenArchive): Promise<Archive> {
  const path = sqlitePath(options);
  try {
    mkdirSync(dirname(path), { recursive: true });
    return await openThreaded(path);
  } catch (error: unknown) {
    if (error instanceof SetupError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      `the archive ${path} can't be opened: ${why}; give a directory that can be written (RUNNEL_DATA), ` +
        'a PostgreSQL database, or none (RUNNEL_ARCHIVE)',
      { cause: error },
    );
  }
}

/** A server that is away does not keep a process from starting: it is opened when it is back. */
async function openPostgres(options: OpenArchive): Promise<Archive> {
  const { archive, namespace, onError } = options;
  const database = new PostgresDatabase({ url: archive, schema: namespace, onError });
  const open = (): Promise<void> => openSchema(database, namespace);
  try {
    await open();
    return new SqlArchive(database);
  } catch (error: unknown) {
    if (!(error instanceof ArchiveUnavailableError)) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
    onError(
      new Error(
        `${error.message}; runs that ended stay in Redis until it does, see to RUNNEL_ARCHIVE if it never did`,
        { cause: error },
      ),
    );
    return new SqlArchive(new DatabaseOpenedLater(database, open));
  }
}

/** Throws SetupError where it can't be used, ArchiveUnavailableError where it does not answer. */
async function openSchema(database: PostgresDatabase, namespace: string): Promise<void> {
  try {
    await database.all(`create schema if not exists "${namespace}"`);
    await openTables(database, `in the schema "${namespace}"`);
  } catch (error: unknown) {
    if (error instanceof SetupError || error instanceof ArchiveUnavailableError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      `the archive in PostgreSQL can't be used: ${why}; see to RUNNEL_ARCHIVE and the rights of its user ` +
        '(CREATE on the database, or a schema of the name of the namespace)',
      { cause: error },
    );
  }
}
