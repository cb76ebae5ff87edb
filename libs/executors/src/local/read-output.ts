import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { maxOutputBytes } from '@runnel/core';
import { type CheckedOutput, describeTooLarge, parseOutput } from '../output.ts';

/** What the command wrote to RUNNEL_OUTPUT, which is there. */
export async function readOutput(file: string): Promise<CheckedOutput> {
  const where = 'the output in RUNNEL_OUTPUT';
  const found = await lstat(file);
  // A pipe or a link to a device would block or never end.
  if (!found.isFile()) return { kind: 'invalid', message: `${where} is not a regular file` };
  if (found.size > maxOutputBytes) {
    return { kind: 'invalid', message: describeTooLarge(where, found.size) };
  }
  const text = decode(await readBytes(file));
  if (text === null) return { kind: 'invalid', message: `${where} is not UTF-8 text` };
  if (text.trim() === '') {
    return { kind: 'invalid', message: `${where} is empty: write a JSON object or no file at all` };
  }
  return parseOutput(text, where);
}

async function readBytes(file: string): Promise<Buffer> {
  // NONBLOCK: a pipe that took the file's place meanwhile must not hold up the worker.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using handle = await open(file, flags);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxOutputBytes + 1));
  return buffer.subarray(0, bytesRead);
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
