import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isSecretName, SecretError, type SecretSource, secretNameRule } from '@runnel/core';

/** A secret is a password or a key, not a document: it is kept in memory and looked for in all that a task writes. */
const maxSecretBytes = 65_536;

/** No setting has a name that begins so. */
export const secretVariablePrefix = 'RUNNEL_SECRET_';

const fileSuffix = '_FILE';

export interface SecretSourceOptions {
  /** Who looks, for messages. */
  readonly worker: string;
  /** Which kind of process that is. Default: worker. */
  readonly process?: 'worker' | 'listener';
  /** Its files are secrets, each with the name of its file; null: there is none. */
  readonly dir: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds the secret NAME in the file NAME of the directory, else in the file that `RUNNEL_SECRET_<NAME>_FILE` names, else
 * in `RUNNEL_SECRET_<NAME>`. Files are read anew each time, so that what was changed counts. What is there and can't be
 * used is told, not passed over.
 */
export function createSecretSource(options: SecretSourceOptions): SecretSource {
  return { read: (name) => readSecret(name, options) };
}

async function readSecret(
  name: string,
  { worker, process = 'worker', dir, env }: SecretSourceOptions,
): Promise<string> {
  const fail = (what: string): SecretError =>
    new SecretError(`the ${process} ${worker} has no secret ${JSON.stringify(name)}: ${what}`);
  if (!isSecretName(name)) throw fail(`a name is ${secretNameRule}`);

  const looked: string[] = [];
  if (dir !== null) {
    const file = join(dir, name);
    const value = await readSecretFile(file, fail);
    if (value !== null) return value;
    looked.push(`there is no file ${file}`);
  } else {
    looked.push('RUNNEL_SECRETS names no directory');
  }

  const variable = `${secretVariablePrefix}${name}`;
  const file = env[`${variable}${fileSuffix}`] ?? '';
  if (file !== '') {
    const value = await readSecretFile(file, fail);
    if (value !== null) return value;
    throw fail(`${variable}${fileSuffix} names ${file}, which does not exist`);
  }
  // That of A_FILE is the path of the secret A.
  const value = name.endsWith(fileSuffix) ? '' : (env[variable] ?? '');
  if (Buffer.byteLength(value) > maxSecretBytes) throw fail(describeTooLarge(variable));
  if (value !== '') return value;
  throw fail([...looked, `neither ${variable}${fileSuffix} nor ${variable} is set`].join(', '));
}

/** Null where there is no such file. A line break at its end is dropped: editors and `echo` put one there. */
async function readSecretFile(
  file: string,
  fail: (what: string) => SecretError,
): Promise<string | null> {
  let handle: FileHandle;
  try {
    // NONBLOCK: a pipe in its place must not hold up the worker.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error: unknown) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw fail(
      `${file} can't be read (${code}): the user of the process needs the right to read it`,
    );
  }
  await using _ = handle;
  if (!(await handle.stat()).isFile()) throw fail(`${file} is not a regular file`);
  const bytes = await readAtMost(handle, maxSecretBytes + 2);
  const text = decode(bytes)?.replace(/\r?\n$/, '') ?? null;
  if (text === null) throw fail(`${file} is not UTF-8 text`);
  if (Buffer.byteLength(text) > maxSecretBytes) throw fail(describeTooLarge(file));
  return text;
}

async function readAtMost(handle: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === length) return bytes.subarray(0, filled);
  }
}

function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function describeTooLarge(where: string): string {
  return `${where} has more than ${maxSecretBytes} bytes`;
}
