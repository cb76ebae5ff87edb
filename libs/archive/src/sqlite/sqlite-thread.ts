import { parentPort, workerData } from 'node:worker_threads';
import { ArchiveUnavailableError } from '../archive.ts';
import { openTables } from '../sql/schema.ts';
import { SqlArchive } from '../sql/sql-archive.ts';
import {
  type ArchiveCall,
  type ArchiveReply,
  openNumber,
  type ThreadError,
} from './sqlite-calls.ts';
import { SqliteDatabase } from './sqlite-database.ts';

// One thread, one connection: calls are carried out in order, one at a time, so that a transaction is alone.

const port = parentPort;
if (port === null) throw new Error('this file is for a thread');
/** Codes of SQLite: busy, locked, out of memory, read only, input or output, full, can't open. */
const passing = new Set([5, 6, 7, 8, 10, 13, 14]);

const path = String(workerData);
let last: Promise<unknown> = Promise.resolve();
let archive: SqlArchive | null = null;

try {
  const database = new SqliteDatabase(path);
  await openTables(database, path);
  archive = new SqlArchive(database);
  reply({ number: openNumber, result: null });
} catch (error: unknown) {
  reply({ number: openNumber, error: toError(error) });
}

port.on('message', (call: ArchiveCall) => {
  last = last.then(() => carryOut(call));
});

async function carryOut(call: ArchiveCall): Promise<void> {
  try {
    reply({ number: call.number, result: await answer(call) });
  } catch (error: unknown) {
    reply({ number: call.number, error: toError(error) });
  }
  if (call.method === 'close') port?.close();
}

async function answer({ method, args }: ArchiveCall): Promise<unknown> {
  if (archive === null) return null;
  if (method === 'close') return await archive[Symbol.asyncDispose]();
  // The proxy's methods have the archive's own types; between threads they are lost.
  const carry = archive[method] as (...args: unknown[]) => Promise<unknown>;
  return await carry.apply(archive, [...args]);
}

function reply(message: ArchiveReply): void {
  port?.postMessage(message);
}

function toError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  if (!passing.has(code)) return { name, message };
  const text = `the archive ${path} can't be used: ${message}`;
  return { name: ArchiveUnavailableError.name, message: text };
}
