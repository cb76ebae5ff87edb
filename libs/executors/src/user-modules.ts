import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeThrown, type Executor, lanes, SetupError } from '@runnel/core';

export interface ExecutorModule {
  /** Its full path. */
  readonly file: string;
  readonly executors: readonly Executor[];
}

/** Imports a user's module and takes every export that is an executor. Throws a SetupError that names the module. */
export async function readExecutors(path: string): Promise<ExecutorModule> {
  const file = resolve(path);
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) {
    throw new SetupError(
      `executors: no file ${file}${file === path ? '' : ` ("${path}" from ${process.cwd()})`}; correct the path in the worker's settings`,
    );
  }
  const exported = await importModule(file);
  const executors: Executor[] = [];
  for (const [key, value] of Object.entries(exported)) {
    if (!resemblesExecutor(value)) continue;
    const problem = findProblem(value);
    if (problem !== null) throw new SetupError(`${file}: the export "${key}": ${problem}`);
    if (isExecutor(value) && !executors.includes(value)) executors.push(value);
  }
  if (executors.length === 0) {
    throw new SetupError(
      `${file} exports no executor; export one: export const mine = defineExecutor({ name, details, execute })`,
    );
  }
  return { file, executors };
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause: unknown) {
    throw new SetupError(`${file} can not be imported: ${describeThrown(cause)}`, { cause });
  }
}

type Candidate = Readonly<Record<string, unknown>>;

/** Other exports of a module are its own business. */
function resemblesExecutor(value: unknown): value is Candidate {
  return typeof value === 'object' && value !== null && 'open' in value && 'details' in value;
}

/** Proves, field by field, that an object of a user's module is an executor. */
function isExecutor(value: unknown): value is Executor {
  return resemblesExecutor(value) && findProblem(value) === null;
}

function findProblem(value: Candidate): string | null {
  const { name, lane, maxBatch, details, open } = value;
  if (typeof name !== 'string' || !/^[A-Za-z_][\w-]{0,99}$/.test(name)) {
    return `name must be letters, digits, "-" or "_", beginning with a letter, but is ${JSON.stringify(name)}`;
  }
  if (!lanes.some((known) => known === lane)) return `lane must be ${lanes.join(' or ')}`;
  if (!isBatchSize(maxBatch)) return `maxBatch must be a whole number from 1 to 256`;
  if (!isSchema(details)) return 'details must be a zod schema, such as z.strictObject({ … })';
  if (typeof open !== 'function') return 'open must be a function; defineExecutor makes it';
  return null;
}

function isBatchSize(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 256;
}

/** By its shape: a module may bring its own copy of zod. */
function isSchema(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'safeParse' in value &&
    typeof value.safeParse === 'function'
  );
}
