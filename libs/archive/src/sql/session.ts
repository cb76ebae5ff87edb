export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs statements one after another; parameters are `$1`, `$2`, … */
export interface SqlSession {
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

/** A database: what differs between SQLite and PostgreSQL is in here. */
export interface SqlDatabase extends SqlSession, AsyncDisposable {
  readonly dialect: SqlDialect;
  /** All or nothing; what `work` throws undoes it. */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
}

export interface SqlDialect {
  readonly bytes: string;
  readonly integer: string;
  /** An integer key that the database counts up. */
  readonly counted: string;
  /** Text that is compared byte by byte. */
  readonly text: string;
  /** A query of the texts in a parameter that holds a JSON array. */
  textsOf(parameter: string): string;
  /** The tag of a run with a key, both expressions; null where it has none. */
  tagOf(tags: string, key: string): string;
  /** Where a text lies in another, from 1; 0: nowhere. */
  placeOf(part: string, text: string): string;
}

// A row was written by this library: the readers say which column is not what it should be.

export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new Error(`the archive's column ${column} has no text`);
}

export function numberOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw new Error(`the archive's column ${column} has no number`);
}

export function bytesOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new Error(`the archive's column ${column} has no bytes`);
}
