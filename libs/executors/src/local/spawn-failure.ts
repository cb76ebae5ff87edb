import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AttemptFailed } from '@runnel/core';
import type { NotStarted, ProcessRequest } from './process-starter.ts';

/** Where another try can help: the system was short of processes, memory or open files. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY']);

/** A command that did not start, told so that its author can put it right. */
export async function describeSpawnFailure(
  failure: NotStarted,
  request: ProcessRequest,
): Promise<AttemptFailed> {
  return {
    outcome: 'failed',
    reason: 'spawn-error',
    message: await explain(failure, request),
    retryable: passing.has(failure.code),
  };
}

async function explain(failure: NotStarted, request: ProcessRequest): Promise<string> {
  const [program = ''] = request.argv;
  const { code } = failure;
  // To enter the directory is the first step of a start, and fails with the same words as the second.
  if (!(await isPermitted(request.cwd, constants.X_OK))) {
    return `"${program}" can not run in "${request.cwd}" (${code}): the worker may not enter that directory, or it is gone`;
  }
  switch (code) {
    case 'ENOENT':
      return explainMissing(program, request);
    case 'EACCES':
      return `"${program}" can not be executed (EACCES): it is not executable for this worker (chmod +x), or a directory`;
    case 'E2BIG':
      return `the command is too long for this system (E2BIG): ${countBytes(request)} bytes of words and environment; pass large data by stdin or a file`;
    case 'ENOEXEC':
      return `"${program}" is not a program for this machine (ENOEXEC)`;
    default:
      return `"${program}" did not start (${code}): ${failure.message}`;
  }
}

async function explainMissing(program: string, request: ProcessRequest): Promise<string> {
  if (!program.includes('/')) {
    const { PATH: path = '' } = request.environment;
    return `"${program}" was not found (ENOENT) in PATH=${path}; install it on the worker, give its full path, or set PATH in details.environment`;
  }
  if (await isPermitted(resolve(request.cwd, program), constants.F_OK))
    return `"${program}" is there, but the interpreter in its first line is not (ENOENT)`;
  return `"${program}" does not exist on this worker (ENOENT)`;
}

async function isPermitted(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

function countBytes(request: ProcessRequest): number {
  const texts = [...request.argv, ...Object.entries(request.environment).flat()];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}
