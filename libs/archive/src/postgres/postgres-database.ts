import pg from 'pg';
import { ArchiveUnavailableError } from '../archive.ts';
import type { SqlDatabase, SqlDialect, SqlRow, SqlSession, SqlValue } from '../sql/session.ts';

const dialect: SqlDialect = {
  bytes: 'bytea',
  integer: 'bigint',
  counted: 'bigint generated always as identity primary key',
  text: 'text collate "C"',
  textsOf: (parameter) => `select jsonb_array_elements_text(${parameter}::jsonb)`,
  tagOf: (tags, key) => `(${tags}::jsonb ->> ${key})`,
  placeOf: (part, text) => `position(${part}::text in lower(${text}))`,
};

const connections = 4;
const connectMs = 5_000;
/** A statement that takes longer is broken off by the server: none of ours does. */
const statementMs = 20_000;
/** A server that says nothing for so long, not even that it broke off, is taken for gone. */
const silenceMs = 25_000;
/** A transaction that met another one is tried so often in all. */
const mostTries = 4;

const bigint = 20;

export interface PostgresOptions {
  readonly url: string;
  /** Tables are in a schema of this name. */
  readonly schema: string;
  onError(error: Error): void;
  readonly silenceMs?: number;
}

export class PostgresDatabase implements SqlDatabase {
  readonly dialect: SqlDialect = dialect;
  readonly #pool: pg.Pool;

  constructor({ url, schema, onError, silenceMs: queryMs = silenceMs }: PostgresOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: connectMs,
      statement_timeout: statementMs,
      query_timeout: queryMs,
      keepAlive: true,
      options: `-c search_path="${schema}"`,
      application_name: 'runnel',
      types: { getTypeParser },
    });
    // A connection that breaks while nobody uses it.
    this.#pool.on('error', onError);
  }

  async all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    try {
      return await ask(this.#pool, sql, values);
    } catch (error: unknown) {
      throw unavailable(error);
    }
  }

  /** `work` is called again where another transaction came in between: it must do nothing but ask the session. */
  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#transact(work);
      } catch (error: unknown) {
        if (tries === mostTries || !metAnother(error)) throw unavailable(error);
      }
    }
  }

  async #transact<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work({ all: (sql, ...values) => ask(client, sql, values) });
      await client.query('commit');
      return result;
    } catch (error: unknown) {
      broken = await rollBack(client, error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

/** Why the connection is not to be used again; undefined: it may be. */
async function rollBack(client: pg.PoolClient, error: unknown): Promise<Error | undefined> {
  // Who is not answered is not heard either: closing the connection undoes what was begun.
  if (error instanceof Error && isOfConnection(error)) return error;
  try {
    await client.query('rollback');
    return undefined;
  } catch (cause: unknown) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

/** Numbers of 64 bits: ours are below 2^53. */
function getTypeParser(type: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return type === bigint ? Number : pg.types.getTypeParser(type, format);
}

async function ask(
  client: Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>,
  sql: string,
  values: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  const bound = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
  const { rows } = await client.query<Record<string, unknown>>(sql, bound);
  return rows;
}

/**
 * SQLSTATEs that mean that the same may work later: no connection, met another transaction, no resources, a lock,
 * stopped by an operator, a failing system, a server that takes no writes now.
 */
const passing = /^(08|40|53|55|57|58|25006$)/;
/** The same was written at the same time, or two wait for each other. */
const meeting = /^(40|23505$)/;

function metAnother(error: unknown): boolean {
  return error instanceof pg.DatabaseError && meeting.test(error.code ?? '');
}

/** An error of the connection, or of a server that stops or is full, in words of ours. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Error) || !mayPass(error)) return error;
  return new ArchiveUnavailableError(`the archive (PostgreSQL) does not answer: ${error.message}`, {
    cause: error,
  });
}

function mayPass(error: Error): boolean {
  return error instanceof pg.DatabaseError ? passing.test(error.code ?? '') : isOfConnection(error);
}

/** Not said by the server: it did not come to that. */
function isOfConnection(error: Error): boolean {
  if (error instanceof pg.DatabaseError) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /^E[A-Z_]+$/.test(code) || /^(Connection|timeout|Query read)/i.test(error.message);
}
