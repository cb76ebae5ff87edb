import { constants } from 'node:fs';
import { lstat, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonObject, maxOutputBytes } from '@runnel/core';
import { type CheckedOutput, describeTooLarge, parseOutput } from '../output.ts';

/** The private directory of one attempt: what the command reads and what it hands on. */
export interface AttemptFiles extends AsyncDisposable {
  readonly outputFile: string;
  readonly inputsFile: string;
}

/** Makes them in the directory for temporary files; disposing removes them with all that the command put there. */
export async function createAttemptFiles(
  temporaryDir: string,
  inputs: JsonObject,
): Promise<AttemptFiles> {
  const directory = await mkdtemp(join(temporaryDir, 'runnel-'));
  const inputsFile = join(directory, 'inputs.json');
  await writeFile(inputsFile, JSON.stringify(inputs), { mode: 0o600 });
  return {
    outputFile: join(directory, 'output.json'),
    inputsFile,
    [Symbol.asyncDispose]: () => removeDirectory(directory),
  };
}

async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // What can't be removed from the temporary directory must not change how the attempt ended.
  }
}

/** What the command wrote to RUNNEL_OUTPUT; null where it wrote nothing. */
export async function readOutput(file: string): Promise<CheckedOutput | null> {
  const where = 'the output in RUNNEL_OUTPUT';
  const found = await lstat(file).catch(() => null);
  if (found === null) return null;
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
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
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
