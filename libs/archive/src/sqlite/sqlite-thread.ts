import { parentPort, workerData } from 'node:worker_threads';
import { ArchiveUnavailableError } from '../archive.ts';
import {
  type ArchiveCall,
  type ArchiveReply,
  openNumber,
  type ThreadError,
} from './sqlite-calls.ts';
import { SqliteFile } from './sqlite-file.ts';

// One thread, one connection: calls are carried out in order, one at a time, so that a transaction is alone.

const port = parentPort;
if (port === null) throw new Error('this file is for a thread');
/** What may pass, by the code of SQLite, and what to do about it. */
const remedies: Readonly<Record<number, string>> = {
  5: 'another process writes, or has locked it: see that none does for long',
  6: 'another process has locked it: see that none does for long',
  7: 'there is not enough memory',
  8: 'see that this user may write it, and its directory',
  10: 'see to its disk',
  11: 'it is damaged: put a backup in its place',
  13: 'make room on its disk',
  14: 'see to its directory and its rights',
  26: 'it is damaged: put a backup in its place',
};

const path = String(workerData);
let last: Promise<unknown> = Promise.resolve();
const file = new SqliteFile(path);

try {
  await file.open();
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
  if (method === 'close') return await file[Symbol.asyncDispose]();
  const archive = await file.use();
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
  const remedy = remedies[code];
  if (remedy === undefined) return { name, message };
  const text = `the archive ${path} can't be used: ${message}; ${remedy}`;
  return { name: ArchiveUnavailableError.name, message: text };
}
