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
/** A statement that takes longer is broken off: none of ours does. */
const statementMs = 30_000;

const bigint = 20;

export interface PostgresOptions {
  readonly url: string;
  /** Tables are in a schema of this name. */
  readonly schema: string;
  onError(error: Error): void;
}

export class PostgresDatabase implements SqlDatabase {
  readonly dialect: SqlDialect = dialect;
  readonly #pool: pg.Pool;

  constructor({ url, schema, onError }: PostgresOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: connectMs,
      statement_timeout: statementMs,
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

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work({ all: (sql, ...values) => ask(client, sql, values) });
      await client.query('commit');
      return result;
    } catch (error: unknown) {
      await client.query('rollback').catch((cause: unknown) => {
        // Such a connection is not used again.
        broken = cause instanceof Error ? cause : new Error(String(cause));
      });
      throw unavailable(error);
    } finally {
      client.release(broken);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error: unknown) {
      throw unavailable(error);
    }
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

/** Classes of SQLSTATE that mean that the same may work later. */
const passing = /^(08|40|53|57|58)/;

/** An error of the connection, or of a server that stops or is full, in words of ours. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Error) || !mayPass(error)) return error;
  return new ArchiveUnavailableError(`the archive (PostgreSQL) does not answer: ${error.message}`, {
    cause: error,
  });
}

function mayPass(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  if (error instanceof pg.DatabaseError) return passing.test(code);
  return /^E[A-Z_]+$/.test(code) || /^(Connection|timeout|Query read)/i.test(error.message);
}
